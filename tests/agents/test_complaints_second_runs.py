"""What people complain about in other tools: the sources of one answer are shown with the next."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents.worker.jobs import run_now
from articles.models import Article, Status
from articles.services import NewSource
from tests import prompts
from tests.articles.clients import client_of, post
from tests.factories import make_article
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

ROOFS = NewSource(title="Survey of roofs", text="A planted roof holds 60 % of a summer's rain, says the survey. " * 3)
TREES = NewSource(title="Count of trees", text="The town has 1,037 trees in its streets, says the count of May. " * 3)
TEXT = ("title", "content", "references", "research_data", "outline", "word_count")
"""Of ``/result``, what belongs to the text."""


@pytest.fixture
def api(owner: User) -> Client:
    return client_of(owner)


@pytest.fixture
def article(owner: User, model: ModelServer) -> Article:
    """An article whose sentences cite ROOFS."""
    model.choices.add("supported")
    made = make_article(owner, sources=(ROOFS,), min_words=300, include_image=False)
    run_now(made.runs.get().pk)
    made.refresh_from_db()
    assert made.status == Status.COMPLETED, made.message
    return made


def write_again(api: Client, article: Article) -> None:
    """From TREES alone."""
    sources = [source.pk for source in article.sources.all()]
    changes = {"remove_sources": sources, "add_sources": [{"title": TREES.title, "text": TREES.text}]}
    assert post(api, f"/api/articles/{article.pk}/write-again", changes).status_code == 200
    run_now(article.runs.latest("pk").pk)
    article.refresh_from_db()


def get(api: Client, article: Article, part: str) -> dict[str, Any]:
    body: dict[str, Any] = api.get(f"/api/articles/{article.pk}/{part}").json()
    return body


def text_of(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result[name] for name in TEXT}


def cited_titles(api: Client, article: Article) -> set[str]:
    return {passage["source"] for item in get(api, article, "evidence")["items"] for passage in item["passages"]}


def test_an_article_written_again_cites_the_sources_of_its_own_run(
    api: Client, model: ModelServer, article: Article
) -> None:
    first = get(api, article, "revisions/1")["content"]
    assert cited_titles(api, article) == {ROOFS.title}
    write_again(api, article)
    assert article.status == Status.COMPLETED, article.message
    result = get(api, article, "result")
    assert [reference["title"] for reference in result["references"]] == [TREES.title]
    assert [source["title"] for source in result["research_data"]["sources"]] == [TREES.title]
    assert ROOFS.title not in result["content"]
    assert cited_titles(api, article) == {TREES.title}
    assert get(api, article, "revisions/1")["content"] == first, "the earlier text is untouched"
    assert TREES.title not in first


def test_a_finished_text_keeps_its_sources_until_the_next_one_is_complete(
    api: Client, model: ModelServer, article: Article
) -> None:
    before = text_of(get(api, article, "result"))
    model.fail(match=prompts.FRAME, status=401, times=9)
    write_again(api, article)
    assert article.status == Status.FAILED
    assert text_of(get(api, article, "result")) == before
    assert post(api, f"/api/articles/{article.pk}/keep").status_code == 200
    assert text_of(get(api, article, "result")) == before
    assert cited_titles(api, article) == {ROOFS.title}


def test_the_verdicts_on_a_later_text_are_not_said_of_a_restored_one(
    api: Client, client: Client, owner: User, model: ModelServer, article: Article
) -> None:
    write_again(api, article)
    assert any(item["stands"] for item in get(api, article, "evidence")["items"])
    client.force_login(owner)
    assert client.post(f"/articles/{article.pk}/revisions/1/restore").status_code == 302
    restored = get(api, article, "result")["content"]
    assert restored == get(api, article, "revisions/1")["content"]
    assert not any(item["stands"] for item in get(api, article, "evidence")["items"])
