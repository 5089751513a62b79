"""A run that waits for its outline to be approved: the real job, journal and crew, and a model server over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connections
from pytest_django import Settings

from agents.contract import Outline
from agents.pipeline.steps import StepKey
from agents.worker.jobs import run_now
from articles.exceptions import InvalidState
from articles.models import Article, Run, Status
from articles.services import NewSource, approve_outline, cancel_run, regenerate_outline, retry_run
from tests.factories import UserFactory, make_article, stages_of_run
from tests.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)

SURVEY = NewSource(
    title="City roofs surveyed",
    text=(
        "Flat roofs are the largest unused surface of most cities. A planted roof holds most of a summer's rain. "
        "The rooms below a planted roof stay several degrees cooler in July. A saturated bed weighs as much as a small car. "
        "The survey of 2024 counted 312 planted roofs in three councils, most of them younger than ten years."
    ),
)


@pytest.fixture
def server(settings: Settings, model_server: ModelServer) -> ModelServer:
    settings.SEARCH_PROVIDER = "none"
    settings.HAS_MODEL = True
    settings.OPENAI_BASE_URL = model_server.url
    settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")
    settings.IMAGE_MODEL = "test-image"
    return model_server


@pytest.fixture
def waiting(owner: User, server: ModelServer) -> Article:
    """An article of 600 words and three sections whose outline waits."""
    article = make_article(owner, sources=(SURVEY,), min_words=600, include_image=False, approve_outline=True)
    return perform_run(article)


def perform_run(article: Article) -> Article:
    """The article after a worker performed its run."""
    run_now(run_of(article).pk)
    article.refresh_from_db()
    return article


def run_of(article: Article) -> Run:
    run = article.latest_run()
    assert run is not None
    return run


def sections(article: Article) -> list[str]:
    return [section.heading for section in Outline.model_validate(article.outline).sections]


def test_nothing_is_written_before_the_approval(waiting: Article) -> None:
    assert waiting.status == Status.AWAITING_APPROVAL
    keys = {str(step) for step in run_of(waiting).steps.done()}
    assert {"research:find:1", "outline:plan", "outline:answer"} <= keys
    assert not [key for key in keys if key.startswith(("write:", "seo:"))]
    words = [section.words for section in Outline.model_validate(waiting.outline).sections]
    assert sum(words) == 600


def test_the_crew_writes_the_approved_outline_without_repeating_calls(
    waiting: Article, owner: User, server: ModelServer
) -> None:
    outline = Outline.model_validate(waiting.outline)
    outline.sections.reverse()
    outline.sections[0].heading = "What a summer on the roof is worth"
    del outline.sections[2]
    for section in outline.sections:
        section.words = 200
    server.calls.clear()
    server.choices.add("supported")  # rewording changes the length
    approve_outline(article=waiting, by=owner, outline=outline)
    done = perform_run(waiting)
    assert done.status == Status.COMPLETED, done.message
    assert sections(done) == [section.heading for section in outline.sections]
    headings = [line.removeprefix("## ") for line in done.content.splitlines() if line.startswith("## ")]
    assert headings == sections(done)
    assert done.min_words == 400
    assert 370 <= done.word_count <= 500, "the length it was approved at"
    run = run_of(done)
    assert run.steps.with_key(StepKey.parse("outline:plan")).get().model_calls == 1
    assert [str(step) for step in run.steps.filter(stage="write")] == ["write:draft"]
    assert [stage.status for stage in stages_of_run(run)] == [*["completed"] * 5, "skipped"]


def test_a_regenerated_outline_follows_the_wish_and_waits_again(
    waiting: Article, owner: User, server: ModelServer
) -> None:
    first, cost = sections(waiting), sum(step.model_calls for step in run_of(waiting).steps.all())
    server.calls.clear()
    regenerate_outline(article=waiting, by=owner, wish="Begin with what it costs")
    again = perform_run(waiting)
    assert again.status == Status.AWAITING_APPROVAL
    assert sections(again) != first
    assert len(server.prompts("Begin with what it costs")) >= 1
    assert sum(step.model_calls for step in run_of(again).steps.all()) == cost + len(server.calls)
    approve_outline(article=again, by=owner)
    assert perform_run(again).status == Status.COMPLETED


def test_a_cancelled_run_waits_for_approval_again(waiting: Article, owner: User, server: ModelServer) -> None:
    first = sections(waiting)
    cancel_run(article=waiting, by=owner)
    server.calls.clear()
    retry_run(article=waiting, by=owner)
    again = perform_run(waiting)
    assert (again.status, sections(again)) == (Status.AWAITING_APPROVAL, first)
    assert server.calls == [], "everything was there"


def test_of_two_concurrent_approvals_one_is_refused(waiting: Article) -> None:
    at_once = Barrier(2)

    def approve(name: str) -> str:
        by = UserFactory.create(username=name)
        at_once.wait()
        try:
            approve_outline(article=Article.objects.get(pk=waiting.pk), by=by)
        except InvalidState as reason:
            return str(reason)
        finally:
            connections.close_all()
        return "approved"

    with ThreadPoolExecutor(2) as people:
        results = sorted(people.map(approve, ["ada", "grace"]))
    assert results[1] == "approved"
    assert "already, so the outline can no longer be changed" in results[0]
    assert run_of(waiting).steps.with_key(StepKey.parse("outline:approved")).count() == 1
