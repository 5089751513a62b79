"""Actions of the API on an article: cancel, retry, delete and write again, and the text while they run."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.exceptions import FailureCode
from articles.models import Source
from articles.runs.journal import fail_run
from articles.services import start_run
from tests.articles.clients import post
from tests.factories import (
    claim,
    make_completed_article,
    make_processing_article,
)

pytestmark = pytest.mark.django_db


def test_cancel_then_retry_then_delete(api: Client, owner: User) -> None:
    article, _ = make_processing_article(owner)
    path = f"/api/articles/{article.pk}"
    assert post(api, f"{path}/cancel").json()["status"] == "cancelled"
    assert post(api, f"{path}/cancel").status_code == 409
    assert post(api, f"{path}/retry").json()["status"] == "pending"
    assert post(api, f"{path}/retry").status_code == 409
    claim(article)
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


# A finished text and a later run


@pytest.mark.parametrize("end", ["pending", "processing", "cancelled", "failed"])
def test_a_finished_text_stays_available_during_and_after_a_later_run(api: Client, owner: User, end: str) -> None:
    article = make_completed_article(owner)
    start_run(article=article, by=owner)
    if end in ("processing", "failed"):
        held = claim(article)
        if end == "failed":
            fail_run(held, "The model key is invalid.", FailureCode.MODEL_AUTH)
    if end == "cancelled":
        post(api, f"/api/articles/{article.pk}/cancel")
    result = api.get(f"/api/articles/{article.pk}/result")
    assert (result.status_code, result.json()["status"]) == (200, end)
    assert result.json()["content"] == article.content
    assert api.get(f"/api/articles/{article.pk}/export/md").status_code == 200
    assert api.get(f"/api/articles/{article.pk}/evidence").status_code == 200


def test_the_message_of_a_cancelled_rewrite_says_that_the_text_is_kept(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    start_run(article=article, by=owner)
    message = post(api, f"/api/articles/{article.pk}/cancel").json()["message"]
    assert message == f"Cancelled by {owner.username}. The finished text is unchanged"


def test_a_title_alone_cannot_be_saved_before_there_is_a_text(api: Client, owner: User) -> None:
    article, held = make_processing_article(owner)
    fail_run(held, "The model key is invalid.", FailureCode.MODEL_AUTH)
    edit = {"title": "Mine", "revision": 0}
    response = api.patch(f"/api/articles/{article.pk}", edit, content_type="application/json")
    assert response.status_code == 422
    assert "An article needs a text" in response.json()["detail"]
    assert not article.revisions.exists()


def test_a_completed_article_is_written_again_with_a_changed_brief(api: Client, owner: User) -> None:
    article = make_completed_article(owner, tone="dry")
    old = Source.objects.create(article=article, text="Old")
    path = f"/api/articles/{article.pk}/write-again"
    changes = {"min_words": 500, "add_sources": [{"text": "New"}], "remove_sources": [old.pk]}
    estimate = post(api, f"{path}/estimate", changes)
    assert (estimate.status_code, article.runs.count()) == (200, 1)
    response = post(api, path, changes)
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    article.refresh_from_db()
    assert (article.min_words, article.tone, article.runs.count()) == (500, "dry", 2)
    assert [source.text for source in article.sources.all()] == ["New"]
    assert api.get(f"/api/articles/{article.pk}/result").status_code == 200
    assert post(api, path).status_code == 409


def test_an_invalid_change_of_the_brief_starts_no_run(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    for changes in ({"topic": "....."}, {"min_words": 10}, {"typo": 1}, {"topic": None}):
        assert post(api, f"/api/articles/{article.pk}/write-again", changes).status_code == 422
    assert article.runs.count() == 1


def test_an_article_is_written_again_without_a_body(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    response = api.post(f"/api/articles/{article.pk}/write-again", b"", content_type="application/json")
    assert (response.status_code, article.runs.count()) == (200, 2)
