"""The outline over the API: read, approved unchanged or changed, and regenerated."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from articles.models import Article, Run, Status
from articles.services import approve_outline
from tests.articles.clients import client_of, post
from tests.factories import UserFactory, make_article, make_completed_article
from tests.outlines import ANSWER, POSITION, TITLE, make_waiting_article, outline

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(owner: User) -> Article:
    return make_waiting_article(owner)


def test_the_status_is_awaiting_approval(api: Client, article: Article) -> None:
    data = api.get(f"/api/articles/{article.pk}/status").json()
    assert (data["status"], data["current_agent"]) == ("awaiting_approval", "")
    assert "waiting for your approval" in data["message"]
    assert api.get("/api/articles/?status=awaiting_approval").json()["count"] == 1
    result = api.get(f"/api/articles/{article.pk}/result")
    assert result.status_code == 409
    assert f"/api/articles/{article.pk}/approve" in result.json()["detail"]


def test_the_outline_can_be_read_before_it_is_approved(api: Client, article: Article) -> None:
    data = api.get(f"/api/articles/{article.pk}/outline").json()
    assert data["outline"] == outline().model_dump()
    assert (data["status"], data["min_words"], data["last_seq"]) == ("awaiting_approval", 1000, article.last_seq)


def test_the_outline_is_null_before_it_is_made(api: Client, owner: User) -> None:
    assert api.get(f"/api/articles/{make_article(owner).pk}/outline").json()["outline"] is None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"outline": null}'])
def test_it_is_approved_unchanged(api: Client, article: Article, body: bytes) -> None:
    response = api.post(f"/api/articles/{article.pk}/approve", body, content_type="application/json")
    assert response.status_code == 200
    assert response.json()["status"] == "pending"
    article.refresh_from_db()
    assert article.outline == outline().model_dump()


def test_a_changed_outline_is_approved(api: Client, article: Article) -> None:
    data = api.get(f"/api/articles/{article.pk}/outline").json()
    changed = data["outline"]
    changed["sections"] = [*changed["sections"][1:], {"heading": "What  comes next", "sources": ["S2", "S99"]}]
    body = {"outline": changed, "seen_seq": data["last_seq"]}
    assert post(api, f"/api/articles/{article.pk}/approve", body).status_code == 200
    article.refresh_from_db()
    assert article.outline is not None
    assert article.outline["sections"][-1] == {
        "heading": "What comes next",
        "purpose": "",
        "form": "prose",
        "points": [],
        "findings": [],
        "sources": ["S2"],
        "words": 250,
    }
    assert (article.outline["answer"], article.outline["position"]) == (ANSWER, POSITION)
    assert article.outline["questions"] == [
        {"question": "Does my roof bear it?", "section": 1},
        {"question": "Who waters it in summer?", "section": 3},
    ]
    assert article.outline["terms"] == [{"term": "saturated bed", "section": 1}, {"term": "lease", "section": 3}]
    removed = [{"finding": number, "reason": f"Removed by {article.owner.username}"} for number in (1, 2)]
    assert article.outline["dismissed"] == [*removed, {"finding": 5, "reason": "Old"}]


def test_answer_form_and_findings_can_be_sent(api: Client, article: Article) -> None:
    sections = [{"heading": "One", "form": "chart", "findings": [3, 1]}, {"heading": "Two", "findings": [4, 3]}]
    body = {"outline": {"title": TITLE, "answer": "Start with the load.", "sections": sections}}
    assert post(api, f"/api/articles/{article.pk}/approve", body).status_code == 200
    outline = api.get(f"/api/articles/{article.pk}/outline").json()["outline"]
    assert outline["answer"] == "Start with the load."
    assert [(each["form"], each["findings"]) for each in outline["sections"]] == [("chart", [3, 1]), ("prose", [4])]
    assert [each["finding"] for each in outline["dismissed"]] == [2, 5]


def two(**changes: Any) -> dict[str, Any]:
    return {"title": TITLE, "sections": [{"heading": "One", **changes}, {"heading": "Two"}]}


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"title": TITLE, "sections": [{"heading": "Alone"}]}, "at least 2 items"),
        ({"title": TITLE, "sections": [{"heading": f"Part {n}"} for n in range(31)]}, "at most 30 items"),
        (two(heading=" "), "outline.sections.0.heading"),
        (two(heading="TWO"), "is used twice"),
        (two(words=700), "a section has 50 to 600 words"),
        (two(words=True), "outline.sections.0.words"),
        (two(purpose="p" * 501), "outline.sections.0.purpose"),
        (two(points=["p"] * 13), "outline.sections.0.points"),
        (two(headline="mistyped"), "outline.sections.0.headline"),
        (two(form="poem"), "outline.sections.0.form"),
        (two(findings=["1"]), "outline.sections.0.findings.0"),
    ],
)
def test_an_invalid_outline_is_refused_with_its_reason(
    api: Client, article: Article, sent: dict[str, Any], reason: str
) -> None:
    response = post(api, f"/api/articles/{article.pk}/approve", {"outline": sent})
    assert response.status_code == 422
    assert reason in response.json()["detail"]
    article.refresh_from_db()
    assert article.status == Status.AWAITING_APPROVAL


def test_it_is_regenerated_with_a_wish(api: Client, article: Article) -> None:
    response = post(api, f"/api/articles/{article.pk}/outline/redo", {"wish": "Begin with the costs"})
    assert (response.status_code, response.json()["status"]) == (200, "pending")
    assert Run.objects.get().outline_wish == "Begin with the costs"
    assert post(api, f"/api/articles/{article.pk}/outline/redo", {"wish": " "}).status_code == 422


@pytest.mark.parametrize(("path", "body"), [("approve", {}), ("outline/redo", {"wish": "Shorter"})])
def test_an_article_that_does_not_wait_is_refused(api: Client, owner: User, path: str, body: dict[str, Any]) -> None:
    done, waiting = make_completed_article(owner), make_waiting_article(owner)
    assert post(api, f"/api/articles/{done.pk}/{path}", body).status_code == 409
    approve_outline(article=waiting, by=owner)
    late = post(api, f"/api/articles/{waiting.pk}/{path}", body)
    assert late.status_code == 409
    assert "Approved by" in late.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"), [("approve", {"seen_seq": 1}), ("outline/redo", {"wish": "S", "seen_seq": 1})]
)
def test_an_outline_regenerated_since_it_was_read_is_not_approved(
    api: Client, article: Article, path: str, body: dict[str, Any]
) -> None:
    response = post(api, f"/api/articles/{article.pk}/{path}", body)
    assert response.status_code == 409
    assert "regenerated since you opened it" in response.json()["detail"]


def test_the_outline_of_another_user_is_not_found(article: Article) -> None:
    stranger = client_of(UserFactory.create())
    for response in (
        stranger.get(f"/api/articles/{article.pk}/outline"),
        post(stranger, f"/api/articles/{article.pk}/approve"),
        post(stranger, f"/api/articles/{article.pk}/outline/redo", {"wish": "Shorter"}),
    ):
        assert response.status_code == 404
