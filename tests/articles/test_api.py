"""Endpoints of the API, called by the owner of the articles."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from agents.exceptions import FailureCode
from articles.models import ApiKey, Article, Voice, api_key
from articles.models.api_key import ApiKeyQuerySet
from articles.runs.journal import fail_run
from articles.services import NewSource, start_run
from tests.articles.clients import post
from tests.factories import (
    UserFactory,
    make_article,
    make_completed_article,
    make_processing_article,
)

pytestmark = pytest.mark.django_db


# Creating


def test_a_brief_becomes_a_pending_article_with_its_sources(api: Client, owner: User) -> None:
    brief = {
        "topic": "  How small  hospitals use language models ",
        "tone": "friendly",
        "target_audience": "nurses",
        "min_words": 1200,
        "include_image": False,
        "seo_optimize": False,
        "language": "pt-BR",
        "keywords": ["triage"],
        "notes": "Line one\r\nline two",
        "sources": [{"title": "Notes", "text": "A nurse said so."}, {"url": "https://example.org/a"}],
    }
    response = post(api, "/api/articles/create", brief)
    assert response.status_code == 201
    body = response.json()
    assert body["topic"] == "How small hospitals use language models"
    assert body["notes"] == "Line one\nline two"
    assert (body["status"], body["progress_percentage"], body["revision"]) == ("pending", 0, 0)
    assert body["image_url"] is None
    assert body["links"]["result"] == f"http://testserver/api/articles/{body['id']}/result"
    assert body["links"]["socket"] == f"ws://testserver/ws/articles/{body['id']}"
    article = Article.objects.get(pk=body["id"])
    assert (article.owner, article.language, article.keywords) == (owner, "pt-BR", ["triage"])
    assert [source.type for source in article.sources.all()] == ["text", "page"]
    assert article.runs.count() == 1


def test_a_topic_alone_is_enough(api: Client) -> None:
    body = post(api, "/api/articles/create", {"topic": "Roofs"}).json()
    assert (body["tone"], body["min_words"], body["include_image"], body["language"]) == (
        "professional",
        1000,
        True,
        "en",
    )
    assert (body["voice"], body["approve_outline"], body["allow_uncited"]) == (None, False, True)
    assert body["writing"] == "parallel"


def test_the_way_of_writing_can_be_set(api: Client) -> None:
    assert post(api, "/api/articles/create", {"topic": "Roofs", "writing": "whole"}).json()["writing"] == "whole"
    refused = post(api, "/api/articles/create", {"topic": "Roofs", "writing": "backwards"})
    assert refused.status_code == 422
    assert "writing" in refused.json()["detail"]


# Reading


def test_an_article_has_its_text_and_links(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    body = api.get(f"/api/articles/{article.pk}").json()
    assert body["status"] == "completed"
    assert body["content"] == article.content
    assert (body["revision"], body["progress_percentage"]) == (1, 100)
    assert body["links"]["page"] == f"http://testserver/articles/{article.pk}/"


def test_reading_an_article_takes_two_queries(
    api: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    article = make_completed_article(owner)
    api.get(f"/api/articles/{article.pk}/status")  # notes the key's use, once a minute
    with django_assert_num_queries(2):  # the key, the article
        api.get(f"/api/articles/{article.pk}")


@pytest.mark.parametrize("row", ["", "/status", "/result"])
def test_an_unchanged_response_is_304(api: Client, owner: User, row: str) -> None:
    article = make_completed_article(owner)
    path = f"/api/articles/{article.pk}{row}"
    first = api.get(path)
    again = api.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    start_run(article=article, by=owner)
    changed = api.get(path, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)


def test_a_key_is_cached_for_seconds_and_revoked_at_once(
    api: Client, owner: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(api_key, "CACHE_SECONDS", 60.0)
    article = make_completed_article(owner)
    path = f"/api/articles/{article.pk}/status"
    api.get(path)
    with django_assert_num_queries(1):
        assert api.get(path).status_code == 200
    ApiKey.objects.filter(user=owner).revoke()
    assert api.get(path).status_code == 401


def test_the_key_of_a_deactivated_user_is_refused_at_once(
    api: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_key, "CACHE_SECONDS", 60.0)
    assert api.get("/api/articles/").status_code == 200
    owner.is_active = False
    owner.save()
    assert api.get("/api/articles/").status_code == 401


def test_the_status_names_the_current_agent(api: Client, owner: User) -> None:
    article, _ = make_processing_article(owner)
    assert api.get(f"/api/articles/{article.pk}/status").json() == {
        "id": article.pk,
        "status": "processing",
        "current_agent": "OutlineAgent",
        "progress_percentage": article.progress,
        "message": article.message,
    }


def test_a_failed_article_has_its_reason_as_message(api: Client, owner: User) -> None:
    article, held = make_processing_article(owner)
    fail_run(held, "The quota is used up. Raise it, then try again.", FailureCode.MODEL_QUOTA)
    assert api.get(f"/api/articles/{article.pk}").json()["message"] == "The quota is used up. Raise it, then try again."


# Listing


def test_the_list_is_counted_paginated_filtered_and_ordered(api: Client, owner: User) -> None:
    made = [make_article(owner, topic=f"Garden number {number}") for number in range(3)]
    finished = make_completed_article(owner, topic="Bicycles in winter")
    make_article(UserFactory.create(), topic="Garden of somebody else")

    def listed(query: str) -> tuple[int, list[int]]:
        body = api.get(f"/api/articles/?{query}").json()
        return body["count"], [item["id"] for item in body["items"]]

    ids = [article.pk for article in made]
    assert listed("") == (4, [finished.pk, *reversed(ids)])
    assert listed("skip=1&limit=2") == (4, [ids[2], ids[1]])
    assert listed("status=completed") == (1, [finished.pk])
    assert listed("q=garden+NUMBER") == (3, ids[::-1])
    assert listed("q=number&order=oldest") == (3, ids)


@pytest.mark.parametrize("path", ["/api/articles/", "/api/articles"])
def test_the_list_has_no_bodies(api: Client, owner: User, path: str) -> None:
    make_completed_article(owner)
    (item,) = api.get(path).json()["items"]
    assert item["title"] == "Rooftop gardens: what the evidence says"
    assert not item.keys() & {"content", "outline", "research_data", "notes"}


def test_an_item_of_the_list_equals_the_article(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    article.voice = Voice.objects.create(name="House style")
    article.image.name = "articles/1/a cover.webp"
    article.save()
    (item,) = api.get("/api/articles/").json()["items"]
    shown = api.get(f"/api/articles/{article.pk}").json()
    assert (item["voice"], item["image_url"]) == ("House style", "http://testserver/media/articles/1/a%20cover.webp")
    assert item == {name: shown[name] for name in item}


def test_a_longer_list_takes_no_more_queries(
    api: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    api.get("/api/articles/")  # notes the key's use
    for _ in range(3):
        make_completed_article(owner)
    with django_assert_num_queries(2):  # the key, the rows
        assert len(api.get("/api/articles/").json()["items"]) == 3


def test_active_tasks_are_pending_and_processing_articles(api: Client, owner: User) -> None:
    make_completed_article(owner)
    waiting = make_article(owner)
    working, _ = make_processing_article(owner)
    make_article(UserFactory.create())
    body = api.get("/api/articles/active/tasks").json()
    assert body["active_count"] == 2
    assert [(task["id"], task["status"]) for task in body["tasks"]] == [
        (working.pk, "processing"),
        (waiting.pk, "pending"),
    ]


# Parts of an article


def test_events_are_those_of_the_socket_and_can_start_after_a_number(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    body = api.get(f"/api/articles/{article.pk}/events").json()
    numbers = [item["seq"] for item in body["items"]]
    assert numbers == list(range(1, article.last_seq + 1))
    assert body["last_seq"] == article.last_seq
    assert body["items"][0].keys() >= {"type", "article_id", "seq", "timestamp", "progress"}
    later = api.get(f"/api/articles/{article.pk}/events?after=3&limit=2").json()["items"]
    assert [item["seq"] for item in later] == [4, 5]


def test_sources_of_the_brief_are_listed(api: Client, owner: User) -> None:
    article = make_article(
        owner, sources=(NewSource(title="Mine", text="Words."), NewSource(url="https://example.org/"))
    )
    body = api.get(f"/api/articles/{article.pk}/sources").json()["items"]
    assert [(item["type"], item["title"], item["url"]) for item in body] == [
        ("text", "Mine", ""),
        ("page", "", "https://example.org/"),
    ]


def test_an_export_is_an_attachment(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    response = api.get(f"/api/articles/{article.pk}/export/md")
    assert response["Content-Type"] == "text/markdown; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="rooftop-gardens-what-the-evidence-says.md"'
    assert response.content.startswith(b"# Rooftop gardens")


def test_an_unknown_format_or_an_article_without_text_is_not_exported(api: Client, owner: User) -> None:
    article = make_article(owner)
    unknown = api.get(f"/api/articles/{article.pk}/export/exe")
    assert (unknown.status_code, unknown.json()["detail"][:24]) == (404, "There is no such export.")
    assert api.get(f"/api/articles/{article.pk}/export/pdf").status_code == 409


def test_an_edit_creates_a_revision_and_a_conflicting_one_is_refused(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    path = f"/api/articles/{article.pk}"
    edit = {"content": "A new text.\n", "revision": 1}
    body = api.patch(path, edit, content_type="application/json").json()
    assert (body["content"], body["title"], body["revision"]) == ("A new text.\n", article.title, 2)
    again = api.patch(path, edit, content_type="application/json")  # as after a lost answer
    assert (again.status_code, again.json()["revision"], again.json()["merged_with"]) == (200, 2, 2)
    clash = api.patch(path, {**edit, "content": "Mine.\n"}, content_type="application/json")
    assert clash.status_code == 409
    refused = clash.json()
    assert refused["detail"].endswith("Change it and save it again, based on revision 2.")
    assert (refused["revision"], refused["newest_content"], refused["content"]) == (2, "A new text.\n", "Mine.\n")
    assert [(each["yours"], each["newest"]) for each in refused["conflicts"]] == [("Mine.\n", "A new text.\n")]
    titled = api.patch(path, {"title": "Mine", "revision": 2}, content_type="application/json").json()
    assert (titled["title"], titled["content"]) == ("Mine", "A new text.\n")


def test_an_edit_of_an_outdated_revision_is_merged(api: Client, owner: User) -> None:
    path = f"/api/articles/{make_completed_article(owner).pk}"
    base = "One is first.[^1] Two is second.\n\nThree is third.\n"

    def patch(content: str, revision: int) -> dict[str, Any]:
        sent = {"content": content, "revision": revision}
        body: dict[str, Any] = api.patch(path, sent, content_type="application/json").json()
        return body

    assert patch(base, 1)["merged_with"] is None
    patch(base.replace("third", "the last"), 2)
    body = patch(base.replace("is first", "comes first"), 2)
    assert body["content"] == "One comes first.[^1] Two is second.\n\nThree is the last.\n"
    assert (body["revision"], body["merged_with"]) == (4, 3)


def test_revisions_are_listed_and_read(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    api.patch(f"/api/articles/{article.pk}", {"content": "New", "revision": 1}, content_type="application/json")
    body = api.get(f"/api/articles/{article.pk}/revisions").json()
    assert [(item["number"], item["author"]) for item in body["items"]] == [(2, owner.username), (1, "The crew")]
    assert body["count"] == 2
    assert api.get(f"/api/articles/{article.pk}/revisions/2").json()["content"] == "New"
    assert api.get(f"/api/articles/{article.pk}/revisions/3").status_code == 404


# Order, availability and voices


def test_titles_are_listed_with_the_topics_of_articles_without_one(api: Client, owner: User) -> None:
    topics = ["Zebras in winter", "apples of the north"]
    for topic in topics:
        make_article(owner, topic=topic)
    make_completed_article(owner)  # “Rooftop gardens: what the evidence says”
    items = api.get("/api/articles/?order=title").json()["items"]
    assert [item["title"] or item["topic"] for item in items] == [
        "apples of the north",
        "Rooftop gardens: what the evidence says",
        "Zebras in winter",
    ]


def test_a_busy_database_does_not_fail_reads(api: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    article = make_completed_article(owner)

    def busy(*args: object, **values: object) -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ApiKeyQuerySet, "update", busy)
    assert api.get(f"/api/articles/{article.pk}/status").status_code == 200
    assert ApiKey.objects.get().last_used_at is None


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL does not lock the whole database")
@pytest.mark.django_db(transaction=True)
def test_a_process_that_writes_for_long_does_not_delay_reads(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        assert api.get(f"/api/articles/{article.pk}/status").status_code == 200
        assert time.monotonic() - started < 5, "writes wait for up to 20 s"
    assert ApiKey.objects.get().last_used_at is None


def test_voices_are_listed(api: Client) -> None:
    Voice.objects.create(name="House", description="Dry.")
    assert api.get("/api/voices").json() == {"items": [{"name": "House", "description": "Dry."}]}
    assert Client().get("/api/voices").status_code == 401
