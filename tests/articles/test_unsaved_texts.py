"""Drafts of the editor on the server."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles.models import Article, UnsavedText
from articles.services import save_text
from tests.factories import StaffFactory, UserFactory, make_article, make_completed_article
from tests.signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(writer: User) -> Article:
    return make_completed_article(writer)


def keep(page: Client, article: Article, content: str = "Typed.", **changes: Any) -> Any:
    sent = {"title": "Roofs", "content": content, "opened_at": 1, "version": "", **changes}
    return page.post(reverse("keep_unsaved_text", args=[article.pk]), sent)


def editor_of(page: Client, article: Article) -> str:
    return page.get(reverse("text_edit", args=[article.pk])).content.decode()


def save(page: Client, article: Article, content: str, version: str = "") -> Any:
    sent = {"title": "Roofs", "content": content, "opened_at": 1, "version": version}
    return page.post(reverse("text_edit", args=[article.pk]), sent)


def test_a_draft_is_shown_again_by_the_editor_and_is_no_revision(page: Client, article: Article) -> None:
    keep(page, article, "Typed until the\r\nlaptop was closed.")
    shown = editor_of(page, article)
    assert "Typed until the\nlaptop was closed." in shown
    assert 'id="restored" role="status">' in shown
    assert 'name="opened_at" value="1"' in shown
    assert article.revisions.count() == 1


def test_each_write_names_the_one_before(page: Client, article: Article) -> None:
    first = keep(page, article, "One").json()["version"]
    second = keep(page, article, "Two", version=first).json()["version"]
    assert second != first
    assert UnsavedText.objects.get().content == "Two"


def test_another_tab_does_not_overwrite_it(page: Client, article: Article) -> None:
    first = keep(page, article, "One").json()["version"]
    keep(page, article, "Two", version=first)
    for version in ("", first):
        response = keep(page, article, "Typed elsewhere", version=version)
        assert response.status_code == 409
        assert response.json()["content"] == "Two"
    assert UnsavedText.objects.get().content == "Two"


def test_a_request_whose_answer_was_lost_may_be_repeated(page: Client, article: Article) -> None:
    first = keep(page, article, "One").json()["version"]
    assert keep(page, article, "One").json()["version"] == first


def test_saving_deletes_the_draft(page: Client, article: Article) -> None:
    version = keep(page, article, "Mine").json()["version"]
    assert save(page, article, "Mine, and more", version).status_code == 302
    assert not UnsavedText.objects.exists()


def test_saving_leaves_the_draft_of_another_tab(page: Client, article: Article) -> None:
    first = keep(page, article, "One").json()["version"]
    keep(page, article, "Of the other tab", version=first)
    assert save(page, article, "Of this tab", first).status_code == 302
    assert "Of the other tab" in editor_of(page, article)


def test_a_draft_that_is_the_saved_text_is_not_shown_as_one(page: Client, article: Article) -> None:
    keep(page, article, article.content, title=article.title)
    assert 'id="restored" role="status" hidden>' in editor_of(page, article)


def test_discarding_it_shows_the_saved_text(page: Client, article: Article) -> None:
    first = keep(page, article, "One").json()["version"]
    second = keep(page, article, "Two", version=first).json()["version"]
    discard = reverse("discard_unsaved_text", args=[article.pk])
    assert "Two" in page.post(discard, {"version": first}, follow=True).content.decode(), "changed since"
    shown = page.post(discard, {"version": second}, follow=True).content.decode()
    assert article.content.splitlines()[0] in shown
    assert not UnsavedText.objects.exists()


def test_a_text_that_could_not_be_saved_becomes_a_draft(page: Client, writer: User) -> None:
    article = make_article(writer)
    response = page.post(reverse("text_edit", args=[article.pk]), {"title": "", "content": "Mine.", "opened_at": 0})
    kept = UnsavedText.objects.get()
    assert (kept.title, kept.content) == ("", "Mine.")
    assert f'name="version" value="{kept.version}"' in response.content.decode()


def test_too_long_a_text_is_refused(page: Client, article: Article) -> None:
    response = keep(page, article, "x" * 200_001)
    assert response.status_code == 422
    assert "Use at most 200,000 characters" in response.json()["detail"]


def test_it_is_each_persons_own(page: Client, article: Article, client: Client) -> None:
    keep(page, article, "Typed by the owner.")
    staff = StaffFactory.create()
    sign_in(client, staff)
    assert "Typed by the owner." not in editor_of(client, article)
    stranger = Client()
    sign_in(stranger, UserFactory.create())
    for name in ("keep_unsaved_text", "discard_unsaved_text"):
        assert stranger.post(reverse(name, args=[article.pk]), {"content": "x", "opened_at": 1}).status_code == 404
    assert UnsavedText.objects.count() == 1


def test_it_stays_when_somebody_else_saves(page: Client, article: Article) -> None:
    keep(page, article, "Mine.")
    save_text(article=article, by=UserFactory.create(), title="T", content="Theirs.", opened_at=1)
    shown = editor_of(page, article)
    assert "Mine." in shown
    assert 'name="opened_at" value="1"' in shown
