"""The API's rows, as the owner of the articles."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import OperationalError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from agents.exceptions import FailureCode
from articles.models import ApiKey, Article, Source, Voice, api_key
from articles.models.api_key import ApiKeyQuerySet
from articles.runs.journal import fail_run
from articles.services import NewSource, start_run
from tests.articles.clients import post
from tests.factories import (
    UserFactory,
    claim,
    make_article,
    make_completed_article,
    make_processing_article,
)

pytestmark = pytest.mark.django_db


# Making


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
    answer = post(api, "/api/articles/create", brief)
    assert answer.status_code == 201
    told = answer.json()
    assert told["topic"] == "How small hospitals use language models"
    assert told["notes"] == "Line one\nline two"
    assert (told["status"], told["progress_percentage"], told["revision"]) == ("pending", 0, 0)
    assert told["image_url"] is None
    assert told["links"]["result"] == f"http://testserver/api/articles/{told['id']}/result"
    assert told["links"]["socket"] == f"ws://testserver/ws/articles/{told['id']}"
    article = Article.objects.get(pk=told["id"])
    assert (article.owner, article.language, article.keywords) == (owner, "pt-BR", ["triage"])
    assert [source.kind for source in article.sources.all()] == ["text", "page"]
    assert article.runs.count() == 1


def test_a_topic_alone_is_enough(api: Client) -> None:
    told = post(api, "/api/articles/create", {"topic": "Roofs"}).json()
    assert (told["tone"], told["min_words"], told["include_image"], told["language"]) == (
        "professional",
        1000,
        True,
        "en",
    )
    assert (told["voice"], told["approve_outline"], told["allow_uncited"]) == (None, False, True)


# Reading


def test_an_article_is_told_with_its_text_and_addresses(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    told = api.get(f"/api/articles/{article.pk}").json()
    assert told["status"] == "completed"
    assert told["content"] == article.content
    assert (told["revision"], told["progress_percentage"]) == (1, 100)
    assert told["links"]["page"] == f"http://testserver/articles/{article.pk}/"


def test_reading_an_article_takes_two_queries(
    api: Client, owner: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    article = make_completed_article(owner)
    api.get(f"/api/articles/{article.pk}/status")  # notes the key's use, once a minute
    with django_assert_num_queries(2):  # the key, the article
        api.get(f"/api/articles/{article.pk}")


@pytest.mark.parametrize("row", ["", "/status", "/result"])
def test_a_read_is_not_sent_again_while_it_is_unchanged(api: Client, owner: User, row: str) -> None:
    article = make_completed_article(owner)
    path = f"/api/articles/{article.pk}{row}"
    first = api.get(path)
    again = api.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    start_run(article=article, by=owner)
    changed = api.get(path, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)


def test_a_key_is_looked_up_once_in_seconds_and_revoked_at_once(
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


def test_a_deactivated_users_key_stops_at_once(api: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_key, "CACHE_SECONDS", 60.0)
    assert api.get("/api/articles/").status_code == 200
    owner.is_active = False
    owner.save()
    assert api.get("/api/articles/").status_code == 401


def test_the_status_tells_who_is_at_work(api: Client, owner: User) -> None:
    article, _ = make_processing_article(owner)
    assert api.get(f"/api/articles/{article.pk}/status").json() == {
        "id": article.pk,
        "status": "processing",
        "current_agent": "OutlineAgent",
        "progress_percentage": article.progress,
        "message": article.message,
    }


def test_the_result_has_all_that_was_made(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    article.image.save("cover.png", ContentFile(b"picture"))
    told = api.get(f"/api/articles/{article.pk}/result").json()
    assert told["seo_meta"].keys() >= {"title", "meta_description", "slug", "keywords"}
    assert told["research_data"].keys() >= {"sources", "passages", "synthesis", "findings", "unread"}
    assert told["outline"]["sections"][0]["heading"] == "Why rooftops matter"
    assert told["references"][0]["number"] == 1
    assert told["image_url"] == f"http://testserver{article.image.url}"
    assert told["content"] == article.content
    assert told["completed_at"].endswith("Z")


def test_an_unfinished_article_has_no_result_and_says_so(api: Client, owner: User) -> None:
    article, held = make_processing_article(owner)
    answer = api.get(f"/api/articles/{article.pk}/result")
    assert answer.status_code == 409
    assert f"not finished yet (writing, {article.progress} %)" in answer.json()["detail"]
    fail_run(held, "The model key is invalid (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH)
    detail = api.get(f"/api/articles/{article.pk}/result").json()["detail"]
    assert "Check OPENAI_API_KEY." in detail
    assert f"/api/articles/{article.pk}/retry" in detail


def test_a_cancelled_article_has_no_result_and_says_so(api: Client, owner: User) -> None:
    article = make_article(owner)
    post(api, f"/api/articles/{article.pk}/cancel")
    answer = api.get(f"/api/articles/{article.pk}/result")
    assert answer.status_code == 409
    assert "was cancelled" in answer.json()["detail"]


def test_a_failed_article_tells_its_reason_as_message(api: Client, owner: User) -> None:
    article, held = make_processing_article(owner)
    fail_run(held, "The quota is used up. Raise it, then try again.", FailureCode.MODEL_QUOTA)
    assert api.get(f"/api/articles/{article.pk}").json()["message"] == "The quota is used up. Raise it, then try again."


# Listing


def test_the_list_counts_pages_filters_and_orders(api: Client, owner: User) -> None:
    made = [make_article(owner, topic=f"Garden number {number}") for number in range(3)]
    finished = make_completed_article(owner, topic="Bicycles in winter")
    make_article(UserFactory.create(), topic="Garden of somebody else")

    def listed(query: str) -> tuple[int, list[int]]:
        told = api.get(f"/api/articles/?{query}").json()
        return told["count"], [item["id"] for item in told["items"]]

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


def test_active_tasks_are_those_at_work(api: Client, owner: User) -> None:
    make_completed_article(owner)
    waiting = make_article(owner)
    working, _ = make_processing_article(owner)
    make_article(UserFactory.create())
    told = api.get("/api/articles/active/tasks").json()
    assert told["active_count"] == 2
    assert [(task["id"], task["status"]) for task in told["tasks"]] == [
        (working.pk, "processing"),
        (waiting.pk, "pending"),
    ]


# What belongs to an article


def test_events_are_told_as_on_the_socket_and_after_a_number(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    told = api.get(f"/api/articles/{article.pk}/events").json()
    numbers = [item["seq"] for item in told["items"]]
    assert numbers == list(range(1, article.last_seq + 1))
    assert told["last_seq"] == article.last_seq
    assert told["items"][0].keys() >= {"type", "article_id", "seq", "timestamp", "progress"}
    later = api.get(f"/api/articles/{article.pk}/events?after=3&limit=2").json()["items"]
    assert [item["seq"] for item in later] == [4, 5]


def test_sources_of_the_brief_are_listed(api: Client, owner: User) -> None:
    article = make_article(
        owner, sources=(NewSource(title="Mine", text="Words."), NewSource(url="https://example.org/"))
    )
    told = api.get(f"/api/articles/{article.pk}/sources").json()["items"]
    assert [(item["kind"], item["title"], item["url"]) for item in told] == [
        ("text", "Mine", ""),
        ("page", "", "https://example.org/"),
    ]


def test_an_export_is_a_file_to_save(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    answer = api.get(f"/api/articles/{article.pk}/export/md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="rooftop-gardens-what-the-evidence-says.md"'
    assert answer.content.startswith(b"# Rooftop gardens")


def test_there_is_no_export_of_a_kind_there_is_not_nor_without_a_text(api: Client, owner: User) -> None:
    article = make_article(owner)
    unknown = api.get(f"/api/articles/{article.pk}/export/exe")
    assert (unknown.status_code, unknown.json()["detail"][:24]) == (404, "There is no such export.")
    assert api.get(f"/api/articles/{article.pk}/export/pdf").status_code == 409


def test_an_edit_becomes_a_revision_and_a_second_one_from_the_same_is_refused(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    path = f"/api/articles/{article.pk}"
    edit = {"content": "A new text.\n", "revision": 1}
    told = api.patch(path, edit, content_type="application/json").json()
    assert (told["content"], told["title"], told["revision"]) == ("A new text.\n", article.title, 2)
    clash = api.patch(path, edit, content_type="application/json")
    assert clash.status_code == 409
    titled = api.patch(path, {"title": "Mine", "revision": 2}, content_type="application/json").json()
    assert (titled["title"], titled["content"]) == ("Mine", "A new text.\n")


def test_revisions_are_listed_and_read(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    api.patch(f"/api/articles/{article.pk}", {"content": "New", "revision": 1}, content_type="application/json")
    told = api.get(f"/api/articles/{article.pk}/revisions").json()
    assert [(item["number"], item["author"]) for item in told["items"]] == [(2, owner.username), (1, "The crew")]
    assert told["count"] == 2
    assert api.get(f"/api/articles/{article.pk}/revisions/2").json()["content"] == "New"
    assert api.get(f"/api/articles/{article.pk}/revisions/3").status_code == 404


# Actions


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
def test_a_finished_text_stays_available_whatever_a_later_run_does(api: Client, owner: User, end: str) -> None:
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


def test_cancelling_a_rewrite_says_that_the_text_is_kept(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    start_run(article=article, by=owner)
    message = post(api, f"/api/articles/{article.pk}/cancel").json()["message"]
    assert message == f"Cancelled by {owner.username}. The finished text is unchanged"


def test_a_title_alone_cannot_be_saved_before_there_is_a_text(api: Client, owner: User) -> None:
    article, held = make_processing_article(owner)
    fail_run(held, "The model key is invalid.", FailureCode.MODEL_AUTH)
    edit = {"title": "Mine", "revision": 0}
    answer = api.patch(f"/api/articles/{article.pk}", edit, content_type="application/json")
    assert answer.status_code == 422
    assert "An article needs a text" in answer.json()["detail"]
    assert not article.revisions.exists()


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


def test_a_busy_database_fails_no_read(api: Client, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    article = make_completed_article(owner)

    def busy(*args: object, **values: object) -> int:
        raise OperationalError("database is locked")

    monkeypatch.setattr(ApiKeyQuerySet, "update", busy)
    assert api.get(f"/api/articles/{article.pk}/status").status_code == 200
    assert ApiKey.objects.get().last_used_at is None


def test_a_completed_article_is_written_again_with_a_changed_brief(api: Client, owner: User) -> None:
    article = make_completed_article(owner, tone="dry")
    old = Source.objects.create(article=article, text="Old")
    path = f"/api/articles/{article.pk}/write-again"
    changes = {"min_words": 500, "add_sources": [{"text": "New"}], "remove_sources": [old.pk]}
    estimate = post(api, f"{path}/estimate", changes)
    assert (estimate.status_code, article.runs.count()) == (200, 1)
    answer = post(api, path, changes)
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    article.refresh_from_db()
    assert (article.min_words, article.tone, article.runs.count()) == (500, "dry", 2)
    assert [source.text for source in article.sources.all()] == ["New"]
    assert api.get(f"/api/articles/{article.pk}/result").status_code == 200
    assert post(api, path).status_code == 409


def test_a_bad_change_of_the_brief_starts_nothing(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    for changes in ({"topic": "....."}, {"min_words": 10}, {"typo": 1}, {"topic": None}):
        assert post(api, f"/api/articles/{article.pk}/write-again", changes).status_code == 422
    assert article.runs.count() == 1


def test_an_article_is_written_again_without_a_body(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    answer = api.post(f"/api/articles/{article.pk}/write-again", b"", content_type="application/json")
    assert (answer.status_code, article.runs.count()) == (200, 2)


def test_voices_are_listed(api: Client) -> None:
    Voice.objects.create(name="House", description="Dry.")
    assert api.get("/api/voices").json() == {"items": [{"name": "House", "description": "Dry."}]}
    assert Client().get("/api/voices").status_code == 401
