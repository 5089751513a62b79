"""Keeping the finished text of an article whose new text was not finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents.exceptions import FailureCode
from articles.exceptions import ArticleGone, InvalidState
from articles.models import Article, Run, Status
from articles.runs.journal import fail_run, pause_run
from articles.runs.lease import Claim
from articles.services import cancel_run, keep_text, retry_run, start_run
from tests.articles.clients import post
from tests.factories import StaffFactory, claim, make_article, make_completed_article, make_processing_article

pytestmark = pytest.mark.django_db


@pytest.fixture
def cancelled(owner: User) -> Article:
    """An article with a finished text, whose second run was cancelled."""
    article = make_completed_article(owner)
    start_run(article=article, by=owner)
    claim(article)
    cancel_run(article=article, by=owner)
    return article


def test_the_article_is_completed_again_and_an_event_records_it(owner: User, cancelled: Article) -> None:
    text, seq = cancelled.content, cancelled.last_seq
    keep_text(article=cancelled, by=owner)
    assert (cancelled.status, cancelled.progress, cancelled.content) == (Status.COMPLETED, 100, text)
    event = cancelled.events.get(seq=seq + 1)
    assert event.payload == {
        "old_status": "cancelled",
        "new_status": "completed",
        "message": f"{owner.username} kept the finished text",
    }
    assert (event.progress, cancelled.last_seq) == (100, seq + 1)


def test_the_unfinished_run_keeps_its_status_and_is_not_continued(owner: User, cancelled: Article) -> None:
    keep_text(article=cancelled, by=owner)
    assert list(cancelled.runs.values_list("status", flat=True)) == [Status.CANCELLED, Status.COMPLETED]
    with pytest.raises(InvalidState, match="failed, paused or cancelled"):
        retry_run(article=cancelled, by=owner)
    assert start_run(article=cancelled, by=owner).status == Status.PENDING


def test_a_failed_and_a_paused_article_keep_their_text_as_well(owner: User) -> None:
    ends: list[Callable[[Claim], object]] = [
        lambda held: fail_run(held, "The model was unavailable.", FailureCode.MODEL_UNAVAILABLE),
        lambda held: pause_run(held, "The spending limit is reached."),
    ]
    for end in ends:
        article = make_completed_article(owner)
        start_run(article=article, by=owner)
        end(claim(article))
        keep_text(article=article, by=owner)
        assert article.status == Status.COMPLETED


def test_only_an_unfinished_rewrite_of_a_finished_text_can_be_given_up(owner: User) -> None:
    completed = make_completed_article(owner)
    rewritten = make_completed_article(owner)
    start_run(article=rewritten, by=owner)
    without_text, _ = make_processing_article(owner)
    cancel_run(article=without_text, by=owner)
    for article in (completed, rewritten, without_text, make_article(owner)):
        before = (article.status, article.last_seq)
        with pytest.raises(InvalidState, match="that has a finished text"):
            keep_text(article=article, by=owner)
        article.refresh_from_db()
        assert (article.status, article.last_seq) == before


def test_a_deleted_article_is_reported(owner: User, cancelled: Article) -> None:
    Article.objects.get(pk=cancelled.pk).delete()
    with pytest.raises(ArticleGone):
        keep_text(article=cancelled, by=owner)


class TestPage:
    @pytest.fixture
    def page(self, client: Client, owner: User) -> Client:
        client.force_login(owner)
        return client

    def test_the_button_is_on_the_page_and_ends_the_notice(self, page: Client, cancelled: Article) -> None:
        address = cancelled.get_absolute_url()
        shown = page.get(address).content.decode()
        assert 'form="keep-form"' in shown
        assert 'id="kept-text"' in shown
        page.post(reverse("keep_text", args=[cancelled.pk]))
        shown = page.get(address).content.decode()
        assert 'data-status="completed"' in shown
        assert 'form="keep-form"' not in shown
        assert "Cancelled by" not in shown.partition('id="log"')[0]

    def test_the_stages_shown_are_those_of_the_text(self, page: Client, cancelled: Article) -> None:
        page.post(reverse("keep_text", args=[cancelled.pk]))
        view = page.get(cancelled.get_absolute_url()).context["view"]
        assert view.run == Run.objects.get(status=Status.COMPLETED)
        assert {stage.status for stage in view.stages} == {"completed"}

    def test_an_article_without_a_text_has_no_such_button(self, page: Client, owner: User) -> None:
        article, _ = make_processing_article(owner)
        cancel_run(article=article, by=owner)
        assert 'form="keep-form"' not in page.get(article.get_absolute_url()).content.decode()

    def test_a_refusal_is_shown(self, page: Client, owner: User) -> None:
        article = make_completed_article(owner)
        response = page.post(reverse("keep_text", args=[article.pk]), follow=True)
        assert "Only a failed, paused or cancelled article" in response.content.decode()

    def test_another_user_gets_404(self, client: Client, cancelled: Article, django_user_model: Any) -> None:
        client.force_login(django_user_model.objects.create_user("eve"))
        assert client.post(reverse("keep_text", args=[cancelled.pk])).status_code == 404
        cancelled.refresh_from_db()
        assert cancelled.status == Status.CANCELLED


def test_the_api_keeps_the_text_once(api: Client, cancelled: Article) -> None:
    path = f"/api/articles/{cancelled.pk}/keep"
    answer = post(api, path)
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert post(api, path).status_code == 409


def test_the_admin_keeps_the_text_of_several_articles(client: Client, owner: User, cancelled: Article) -> None:
    client.force_login(StaffFactory.create())
    chosen = [cancelled.pk, make_completed_article(owner).pk]
    address = reverse("admin:articles_article_changelist")
    response = client.post(address, {"action": "keep_text", "_selected_action": chosen}, follow=True)
    messages = [str(message) for message in response.context["messages"]]
    assert messages[0] == "Kept: 1."
    assert "Only a failed, paused or cancelled article" in messages[1]
