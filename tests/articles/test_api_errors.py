"""Whatever comes in, the answer is a clear 4xx as ``{"detail": …}`` that does not repeat it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from articles.api import articles as articles_api
from articles.models import Article
from tests.factories import make_completed_article

pytestmark = pytest.mark.django_db


def detail_of(answer: Any) -> str:
    told = answer.json()
    assert told.keys() == {"detail"}
    assert isinstance(told["detail"], str)
    return told["detail"]


TOPIC = "Rooftop gardens"
BAD_BRIEFS: list[tuple[dict[str, Any], str]] = [
    ({}, "topic: Field required."),
    ({"topic": ""}, "topic: String should have at least 5 characters."),
    ({"topic": "   \t\n    "}, "topic: String should have at least 5 characters."),
    ({"topic": "Roof"}, "topic: String should have at least 5 characters."),
    ({"topic": "…… ……"}, "topic: contains no letter or digit."),
    ({"topic": "\u200b" * 9}, "topic: contains no letter or digit."),
    ({"topic": "x" * 501}, "topic: String should have at most 500 characters."),
    ({"topic": "Roof\0top gardens"}, "topic: contains a NUL character or half a surrogate pair, which is not text."),
    ({"topic": "Roof\ud800top"}, "topic: contains a NUL character or half a surrogate pair, which is not text."),
    ({"topic": ["Rooftop"]}, "topic: Input should be a valid string."),
    ({"topic": None}, "topic: Input should be a valid string."),
    ({"topic": TOPIC, "min_words": 299}, "min_words: Input should be greater than or equal to 300."),
    ({"topic": TOPIC, "min_words": 5001}, "min_words: Input should be less than or equal to 5000."),
    ({"topic": TOPIC, "min_words": -1}, "min_words: Input should be greater than or equal to 300."),
    ({"topic": TOPIC, "min_words": 10**30}, "min_words: Input should be less than or equal to 5000."),
    ({"topic": TOPIC, "min_words": "1000"}, "min_words: Input should be a valid integer."),
    ({"topic": TOPIC, "min_words": 1000.5}, "min_words: Input should be a valid integer."),
    ({"topic": TOPIC, "min_words": True}, "min_words: Input should be a valid integer."),
    ({"topic": TOPIC, "include_image": "yes"}, "include_image: Input should be a valid boolean."),
    ({"topic": TOPIC, "seo_optimize": 1}, "seo_optimize: Input should be a valid boolean."),
    ({"topic": TOPIC, "tone": ""}, "tone: String should have at least 1 character."),
    ({"topic": TOPIC, "tone": "x" * 101}, "tone: String should have at most 100 characters."),
    ({"topic": TOPIC, "language": "en; drop"}, "language: should be a BCP 47 tag, such as en or pt-BR."),
    ({"topic": TOPIC, "keywords": ["x"] * 21}, "keywords: List should have at most 20 items after validation, not 21."),
    ({"topic": TOPIC, "keywords": ["x" * 101]}, "keywords.0: String should have at most 100 characters."),
    (
        {"topic": TOPIC, "keywords": ["a\0b"]},
        "keywords.0: contains a NUL character or half a surrogate pair, which is not text.",
    ),
    ({"topic": TOPIC, "words": 800}, "words: Unknown field."),
    ({"topic": TOPIC, "sources": [{"title": "Empty"}]}, "sources.0: give text, url or both."),
    (
        {"topic": TOPIC, "sources": [{"url": "ftp://example.org/a"}]},
        "sources.0.url: is not a URL; enter it in full, such as https://example.org/page.",
    ),
    (
        {"topic": TOPIC, "sources": [{"text": "a\0b"}]},
        "sources.0.text: contains a NUL character or half a surrogate pair, which is not text.",
    ),
    (
        {"topic": TOPIC, "sources": [{"text": "x"}] * 21},
        "sources: List should have at most 20 items after validation, not 21.",
    ),
    ({"topic": TOPIC, "sources": [{"file": "/etc/passwd", "text": "x"}]}, "sources.0.file: Unknown field."),
]


@pytest.mark.parametrize(("brief", "said"), BAD_BRIEFS)
def test_it_refuses_a_bad_brief_and_says_what_is_wrong(api: Client, brief: dict[str, Any], said: str) -> None:
    answer = api.post("/api/articles/create", json.dumps(brief), content_type="application/json")
    assert (answer.status_code, detail_of(answer)) == (422, said)
    assert not Article.objects.exists()


def test_it_does_not_repeat_a_topic_of_a_megabyte(api: Client) -> None:
    answer = api.post("/api/articles/create", {"topic": "x" * 1_000_000}, content_type="application/json")
    assert answer.status_code == 422
    assert len(answer.content) < 200


def test_it_cuts_short_a_wrong_field_of_a_megabyte_and_tells_of_five_at_most(api: Client) -> None:
    brief = {"topic": TOPIC, **{f"{number}<script>" + "ü" * 10_000: 1 for number in range(9)}}
    answer = api.post("/api/articles/create", json.dumps(brief), content_type="application/json")
    assert answer.status_code == 422
    assert detail_of(answer).count("Unknown field") == 5
    assert len(answer.content) < 500


BAD_BODIES = [b"{", b"", b"[1]", b"null", b'"topic"', b"\xff\xfe", b"[" * 100_000, b'{"topic": ' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_it_refuses_a_body_that_is_no_brief(api: Client, body: bytes) -> None:
    answer = api.post("/api/articles/create", body, content_type="application/json")
    assert answer.status_code in (400, 422)
    assert 10 < len(detail_of(answer)) < 120


def test_it_refuses_a_body_above_the_limit(api: Client) -> None:
    body = b'{"topic": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    answer = api.post("/api/articles/create", body, content_type="application/json")
    assert answer.status_code == 413
    assert "larger than 3.1 MB" in detail_of(answer)


@pytest.mark.parametrize("id", ["0", "9" * 19, "9" * 40, "9" * 5000, "-1", "abc", "1.5", "%00", "١"])
def test_an_id_that_cannot_be_is_not_found(api: Client, id: str) -> None:
    for row in ("", "/status", "/result", "/events", "/export/md"):
        answer = api.get(f"/api/articles/{id}{row}")
        assert answer.status_code == 404
        assert detail_of(answer)


BAD_QUERIES = [
    "limit=-1",
    "limit=0",
    "limit=101",
    "limit=x",
    "skip=-1",
    "skip=" + "9" * 30,
    "status=done",
    "order=worst",
]


@pytest.mark.parametrize("query", [*BAD_QUERIES, "q=" + "x" * 201])
def test_it_refuses_a_list_that_cannot_be(api: Client, query: str) -> None:
    answer = api.get(f"/api/articles/?{query}")
    assert answer.status_code == 422
    assert detail_of(answer).startswith(query.partition("=")[0] + ": ")


def test_a_search_for_strange_characters_finds_nothing(api: Client) -> None:
    for q in ("%00", "%ff%fe", "%25", "_", "'; drop table"):
        assert api.get(f"/api/articles/?q={q}").json()["count"] == 0


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001"])
def test_it_refuses_events_that_cannot_be(api: Client, owner: User, query: str) -> None:
    article = make_completed_article(owner)
    assert api.get(f"/api/articles/{article.pk}/events?{query}").status_code == 422


def test_events_after_a_number_beyond_all_are_none(api: Client, owner: User) -> None:
    article = make_completed_article(owner)
    assert api.get(f"/api/articles/{article.pk}/events?after={'9' * 30}").json()["items"] == []


@pytest.mark.parametrize(
    "edit",
    [
        {},
        {"revision": 1, "content": "  "},
        {"revision": 1, "title": ""},
        {"revision": -1},
        {"revision": 1, "content": "\0"},
    ],
)
def test_it_refuses_an_edit_that_is_none(api: Client, owner: User, edit: dict[str, Any]) -> None:
    article = make_completed_article(owner)
    answer = api.patch(f"/api/articles/{article.pk}", edit, content_type="application/json")
    assert answer.status_code == 422
    assert detail_of(answer)


# What Django answers itself


def test_a_wrong_method_is_told_as_json_with_the_right_ones(api: Client) -> None:
    answer = api.put("/api/articles/create")
    assert answer.status_code == 405
    assert detail_of(answer) == "PUT is not allowed here. Allowed: POST."
    assert answer["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/articles/1/nothing/", "/api/articles/create/x"])
def test_an_unknown_address_is_told_as_json(api: Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    assert "/api/docs" in detail_of(answer)


def test_a_host_that_is_not_ours_is_refused_as_json(api: Client) -> None:
    answer = api.get("/api/articles/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert detail_of(answer)


def test_a_crash_is_logged_and_told_without_its_inside(
    api: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(articles_api, "find_in", crash)
    with caplog.at_level(logging.ERROR, logger="django.request"):
        answer = api.get("/api/articles/1")
    assert answer.status_code == 500
    assert detail_of(answer) == "Internal error. Try again; the server log has the details."
    assert b"secret" not in answer.content
    assert "ZeroDivisionError" in caplog.text


def test_the_length_that_is_told_is_that_of_what_is_sent(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client waits for what is missing, and cuts off what is too much."""
    monkeypatch.setattr(articles_api, "find", lambda *_: 1 / 0)
    for answer in (api.put("/api/health"), api.get("/api/nothing"), api.get("/api/articles/1")):
        assert answer["Content-Length"] == str(len(answer.content)), answer.status_code


def test_pages_keep_their_own_errors(api: Client) -> None:
    assert not api.get("/api-docs-of-old").headers["Content-Type"].startswith("application/json")


# Browsers of other origins


def test_cors_is_for_the_origins_that_are_set(api: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://news.example"]
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    preflight = api.options("/api/articles/", headers={"Origin": "https://news.example", **asked})
    assert preflight["Access-Control-Allow-Origin"] == "https://news.example"
    assert "authorization" in preflight["Access-Control-Allow-Headers"]
    foreign = api.get("/api/articles/", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers
