"""Invalid requests get a 4xx response ``{"detail": …}`` that names the problem and does not repeat the input."""

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


def detail_of(response: Any) -> str:
    data = response.json()
    assert data.keys() == {"detail"}
    assert isinstance(data["detail"], str)
    return data["detail"]


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
def test_an_invalid_brief_is_refused_with_the_field_and_reason(api: Client, brief: dict[str, Any], said: str) -> None:
    response = api.post("/api/articles/create", json.dumps(brief), content_type="application/json")
    assert (response.status_code, detail_of(response)) == (422, said)
    assert not Article.objects.exists()


def test_an_error_does_not_repeat_a_long_value(api: Client) -> None:
    response = api.post("/api/articles/create", {"topic": "x" * 1_000_000}, content_type="application/json")
    assert response.status_code == 422
    assert len(response.content) < 200


def test_an_error_truncates_long_field_names_and_lists_five_at_most(api: Client) -> None:
    brief = {"topic": TOPIC, **{f"{number}<script>" + "ü" * 10_000: 1 for number in range(9)}}
    response = api.post("/api/articles/create", json.dumps(brief), content_type="application/json")
    assert response.status_code == 422
    assert detail_of(response).count("Unknown field") == 5
    assert len(response.content) < 500


BAD_BODIES = [b"{", b"", b"[1]", b"null", b'"topic"', b"\xff\xfe", b"[" * 100_000, b'{"topic": ' + b"9" * 5000 + b"}"]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_a_malformed_body_is_refused(api: Client, body: bytes) -> None:
    response = api.post("/api/articles/create", body, content_type="application/json")
    assert response.status_code in (400, 422)
    assert 10 < len(detail_of(response)) < 120


def test_a_body_above_the_limit_is_refused(api: Client) -> None:
    body = b'{"topic": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    response = api.post("/api/articles/create", body, content_type="application/json")
    assert response.status_code == 413
    assert detail_of(response) == "The body is larger than 3.1 MB. Send less text."


@pytest.mark.parametrize("id", ["0", "9" * 19, "9" * 40, "9" * 5000, "-1", "abc", "1.5", "%00", "١"])
def test_an_impossible_id_is_not_found(api: Client, id: str) -> None:
    for row in ("", "/status", "/result", "/events", "/export/md"):
        response = api.get(f"/api/articles/{id}{row}")
        assert response.status_code == 404
        assert detail_of(response)


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
def test_invalid_list_parameters_are_refused(api: Client, query: str) -> None:
    response = api.get(f"/api/articles/?{query}")
    assert response.status_code == 422
    assert detail_of(response).startswith(query.partition("=")[0] + ": ")


def test_a_search_for_special_characters_finds_nothing(api: Client) -> None:
    for q in ("%00", "%ff%fe", "%25", "_", "'; drop table"):
        assert api.get(f"/api/articles/?q={q}").json()["count"] == 0


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001"])
def test_invalid_event_parameters_are_refused(api: Client, owner: User, query: str) -> None:
    article = make_completed_article(owner)
    assert api.get(f"/api/articles/{article.pk}/events?{query}").status_code == 422


def test_there_are_no_events_after_a_number_beyond_the_last(api: Client, owner: User) -> None:
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
def test_an_invalid_edit_is_refused(api: Client, owner: User, edit: dict[str, Any]) -> None:
    article = make_completed_article(owner)
    response = api.patch(f"/api/articles/{article.pk}", edit, content_type="application/json")
    assert response.status_code == 422
    assert detail_of(response)


# Errors raised by Django itself


def test_a_wrong_method_is_refused_in_json_with_the_allowed_ones(api: Client) -> None:
    response = api.put("/api/articles/create")
    assert response.status_code == 405
    assert detail_of(response) == "PUT is not allowed here. Allowed: POST."
    assert response["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/articles/1/nothing/", "/api/articles/create/x"])
def test_an_unknown_path_is_not_found_in_json(api: Client, path: str) -> None:
    response = api.get(path)
    assert response.status_code == 404
    assert "/api/docs" in detail_of(response)


def test_an_unknown_host_is_refused_in_json(api: Client) -> None:
    response = api.get("/api/articles/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert detail_of(response)


def test_a_crash_is_logged_and_answered_without_details(
    api: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(articles_api, "find_in", crash)
    with caplog.at_level(logging.ERROR, logger="django.request"):
        response = api.get("/api/articles/1")
    assert response.status_code == 500
    assert detail_of(response) == "Internal error. Try again; the server log has the details."
    assert b"secret" not in response.content
    assert "ZeroDivisionError" in caplog.text


def test_the_content_length_of_an_error_is_the_length_of_its_body(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client waits for missing bytes, and drops excess ones."""
    monkeypatch.setattr(articles_api, "find", lambda *_: 1 / 0)
    for response in (api.put("/api/health"), api.get("/api/nothing"), api.get("/api/articles/1")):
        assert response["Content-Length"] == str(len(response.content)), response.status_code


def test_pages_keep_their_own_errors(api: Client) -> None:
    assert not api.get("/api-docs-of-old").headers["Content-Type"].startswith("application/json")


# CORS


def test_cors_allows_only_the_configured_origins(api: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://news.example"]
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    preflight = api.options("/api/articles/", headers={"Origin": "https://news.example", **asked})
    assert preflight["Access-Control-Allow-Origin"] == "https://news.example"
    assert "authorization" in preflight["Access-Control-Allow-Headers"]
    foreign = api.get("/api/articles/", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in foreign.headers
