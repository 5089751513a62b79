"""A job makes the article whose turn it is, whoever called for it."""

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


def test_a_job_is_for_the_run_whose_turn_it_is() -> None:
    ada, ben = UserFactory(), UserFactory()
    articles = [make_article(ada, sources=(SURVEY,), min_words=300) for _ in range(3)]
    claim(articles[0])
    bens = make_article(ben, sources=(SURVEY,), min_words=300)
    run_next(articles[1].runs.get().pk)
    assert status_of(bens) == Status.COMPLETED
    assert {status_of(article) for article in articles[1:]} == {Status.PENDING}


def test_a_job_without_a_run_to_take_up_ends() -> None:
    ada = UserFactory()
    articles = [make_article(ada) for _ in range(3)]
    claim(articles[0]), claim(articles[1])
    run_next(articles[2].runs.get().pk)
    assert status_of(articles[2]) == Status.PENDING, "its owner has two in work, and that is enough"


def test_a_turn_that_other_workers_used_up_meanwhile_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = UserFactory()
    articles = [make_article(ada) for _ in range(3)]
    seen = iter([articles[2].runs.get().pk, None])
    monkeypatch.setattr(
        "agents.worker.jobs.next_run", lambda exclude, shared_process: next(seen)
    )  # as it was before the two were claimed
    claim(articles[0]), claim(articles[1])
    run_next(articles[2].runs.get().pk)
    assert status_of(articles[2]) == Status.PENDING


def test_whoever_performs_a_run_themselves_does_not_wait_for_a_turn() -> None:
    ada = UserFactory()
    articles = [make_article(ada, sources=(SURVEY,), min_words=300) for _ in range(3)]
    claim(articles[0]), claim(articles[1])
    assert run_now(articles[2].runs.get().pk)
    assert status_of(articles[2]) == Status.COMPLETED
