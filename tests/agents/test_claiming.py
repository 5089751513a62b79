"""A job performs the next run in fair order, not the one it was enqueued for."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from agents.worker.jobs import run_next, run_now
from articles.models import Article, Status
from articles.services import NewSource
from tests.factories import UserFactory, claim, make_article

pytestmark = pytest.mark.django_db(transaction=True)

SURVEY = NewSource(
    title="Survey",
    text=(
        "Flat roofs are the largest unused surface of most cities. A planted roof holds most of a summer's rain. "
        "The rooms below a planted roof stay several degrees cooler in July. "
        "An engineer has to look at the beams before the first sack of soil is carried up."
    ),
)


@pytest.fixture(autouse=True)
def offline(settings: Settings) -> None:
    settings.SEARCH_PROVIDER, settings.HAS_MODEL, settings.RUNS_PER_USER = "none", False, 2


def status_of(article: Article) -> str:
    return Article.objects.values_list("status", flat=True).get(pk=article.pk)


def test_a_job_performs_the_next_run_in_fair_order() -> None:
    ada, ben = UserFactory.create(), UserFactory.create()
    articles = [make_article(ada, sources=(SURVEY,), min_words=300) for _ in range(3)]
    claim(articles[0])
    bens = make_article(ben, sources=(SURVEY,), min_words=300)
    run_next(articles[1].runs.get().pk)
    assert status_of(bens) == Status.COMPLETED
    assert {status_of(article) for article in articles[1:]} == {Status.PENDING}


def test_a_job_without_a_claimable_run_ends() -> None:
    ada = UserFactory.create()
    articles = [make_article(ada) for _ in range(3)]
    claim(articles[0]), claim(articles[1])
    run_next(articles[2].runs.get().pk)
    assert status_of(articles[2]) == Status.PENDING, "its owner is at the limit of two"


def test_a_run_whose_owner_reached_the_limit_meanwhile_is_not_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = UserFactory.create()
    articles = [make_article(ada) for _ in range(3)]
    seen = iter([articles[2].runs.get().pk, None])
    monkeypatch.setattr(
        "agents.worker.jobs.next_run", lambda exclude, shared_process: next(seen)
    )  # the answer from before the two were claimed
    claim(articles[0]), claim(articles[1])
    run_next(articles[2].runs.get().pk)
    assert status_of(articles[2]) == Status.PENDING


def test_run_now_ignores_the_fair_order() -> None:
    ada = UserFactory.create()
    articles = [make_article(ada, sources=(SURVEY,), min_words=300) for _ in range(3)]
    claim(articles[0]), claim(articles[1])
    assert run_now(articles[2].runs.get().pk)
    assert status_of(articles[2]) == Status.COMPLETED
