"""Articles written concurrently by one process: what they share, and that they do not affect each other."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import django_rq
import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from pytest_django import Settings
from redis import Redis
from rq.job import Job

from agents.contract import Manuscript
from agents.worker import jobs, run_article
from agents.worker.jobs import run_next
from agents.worker.run_article import STOPPED_MESSAGE, Crew
from articles.exceptions import UNEXPECTED_ERROR
from articles.models import Article, Run, Status
from articles.runs.lease import Claim
from articles.runs.queue import remove_job
from articles.runs.recovery import hand_over
from articles.runs.scheduling import next_run
from articles.services import cancel_run
from tests.agents.test_jobs import after, configure, made
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def capacity_of_two() -> Iterator[None]:
    token = jobs.capacity.set(2)
    yield
    jobs.capacity.reset(token)


@pytest.fixture(autouse=True)
def model(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    settings.SEARCH_PROVIDER = "none"
    monkeypatch.setattr(jobs, "POLL_SECONDS_AFTER_CLAIM", 0.02)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.05)
    with ModelServer(token_seconds=0.001) as server:
        configure(settings, server)
        yield server


def waiting(owner: User, count: int, **brief: object) -> tuple[list[Article], list[Run]]:
    articles, runs = zip(*(made(owner, include_image=False, **brief) for _ in range(count)), strict=True)
    return list(articles), list(runs)


def statuses(articles: Iterable[Article]) -> list[str]:
    return [after(article).status for article in articles]


def spans(runs: Iterable[Run]) -> list[tuple[float, float]]:
    """The start and end of each run."""
    found = [Run.objects.get(pk=run.pk) for run in runs]
    return [
        (run.started_at.timestamp(), run.finished_at.timestamp()) for run in found if run.started_at and run.finished_at
    ]


def in_thread(act: Callable[[], None]) -> threading.Thread:
    """Calls ``act`` in another thread while this one writes."""

    def acting() -> None:
        try:
            act()
        finally:
            connection.close()

    thread = threading.Thread(target=acting)
    thread.start()
    return thread


def test_a_process_writes_as_many_articles_at_once_as_its_capacity(owner: User, model: ModelServer) -> None:
    topics = ("Roofs of a town", "Bridges of a town", "Trees of a town")
    articles, runs = zip(*(made(owner, topic=topic, include_image=False) for topic in topics), strict=True)
    model.fail(match="Bridges of a town", hang=5)  # it is still being written when the first ends
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED] * 3
    first, second, third = spans(runs)
    assert second[0] < first[1], "the second waited for the first to end"
    assert third[0] >= min(first[1], second[1]), "the third was started while both places were taken"


def test_each_run_is_charged_for_its_own_calls(owner: User, model: ModelServer) -> None:
    _, runs = waiting(owner, 2)
    run_next(runs[0].pk)
    billed = [sum(step.model_calls for step in run.steps.all()) for run in runs]
    assert min(billed) > 5
    assert sum(billed) == len(model.calls)


def test_articles_share_the_limit_of_concurrent_calls(owner: User, model: ModelServer, settings: Settings) -> None:
    settings.LLM_MAX_CONCURRENCY = 2
    articles, runs = waiting(owner, 2)
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED] * 2
    in_flight = [sum(other.at <= call.at < other.ended for other in model.calls) for call in model.calls]
    assert max(in_flight) == 2


def test_with_a_capacity_of_one_an_article_is_written_alone(owner: User) -> None:
    jobs.capacity.set(1)
    articles, runs = waiting(owner, 2)
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED, Status.PENDING]


def test_a_last_attempt_is_not_claimed_next_to_another_run(owner: User) -> None:
    articles, runs = waiting(owner, 3)
    for run, attempts in zip(runs, (0, 2, 1), strict=True):  # of three
        Run.objects.filter(pk=run.pk).update(attempts=attempts)
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED, Status.PENDING, Status.COMPLETED]


def test_no_run_is_claimed_next_to_a_last_attempt(owner: User) -> None:
    articles, runs = waiting(owner, 2)
    Run.objects.filter(pk=runs[0].pk).update(attempts=2)
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED, Status.PENDING]


def test_a_process_ends_after_its_maximum_of_articles(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MAX_RUNS_PER_PROCESS", 2)
    articles, runs = waiting(owner, 3)
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED, Status.COMPLETED, Status.PENDING]


def test_cancelling_one_run_does_not_affect_the_other(owner: User, model: ModelServer) -> None:
    model.token_seconds = 0.01
    articles, runs = waiting(owner, 2)

    def cancel_the_first() -> None:
        wait_until(lambda: Run.objects.filter(status=Status.PROCESSING).count() == 2)
        cancel_run(article=Article.objects.get(pk=articles[0].pk), by=owner)

    person = in_thread(cancel_the_first)
    run_next(runs[0].pk)
    person.join()
    assert statuses(articles) == [Status.CANCELLED, Status.COMPLETED]


def test_a_stopped_process_hands_over_all_its_runs(
    owner: User, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It claims no other run, although one is handed over before the other."""
    model.token_seconds = 0.01
    articles, runs = waiting(owner, 3)

    def hand_over_slowly(claim: Claim, message: str) -> None:
        hand_over(claim, message)
        time.sleep(0.2)

    monkeypatch.setattr(run_article, "hand_over", hand_over_slowly)

    def stop() -> None:
        wait_until(lambda: Run.objects.filter(status=Status.PROCESSING).count() == 2)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = in_thread(stop)
    run_next(runs[0].pk)
    stopper.join()
    assert statuses(articles) == [Status.PENDING] * 3
    messages = [[event.payload.get("message") for event in article.events.all()] for article in articles]
    assert [of_article.count(STOPPED_MESSAGE) for of_article in messages] == [1, 1, 0]
    wait_until(lambda: all(call.ended for call in model.calls))


@pytest.fixture
def failing_runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of runs that fail with an unexpected error once two runs have started."""
    runs: list[int] = []
    produce_manuscript = run_article.produce_manuscript

    async def fail(claim: Claim, crew: Crew, slots: asyncio.Semaphore) -> Manuscript:
        if claim.run_id not in runs:
            return await produce_manuscript(claim, crew, slots)
        while await Run.objects.exclude(started_at=None).acount() < 2:
            await asyncio.sleep(0.05)
        raise ZeroDivisionError(claim.run_id)

    monkeypatch.setattr(run_article, "produce_manuscript", fail)
    return runs


def test_an_unexpected_error_of_one_run_is_raised_after_the_other_is_done(
    owner: User, failing_runs: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    articles, runs = waiting(owner, 3)
    failing_runs.append(runs[0].pk)
    with pytest.raises(ZeroDivisionError):
        run_next(runs[0].pk)
    assert statuses(articles) == [Status.FAILED, Status.COMPLETED, Status.PENDING]
    assert after(articles[0]).message == UNEXPECTED_ERROR
    assert f"run {runs[0].pk} failed with an unexpected error" in caplog.text


def test_unexpected_errors_of_two_runs_are_both_raised(owner: User, failing_runs: list[int]) -> None:
    articles, runs = waiting(owner, 2)
    failing_runs += [run.pk for run in runs]
    with pytest.raises(ExceptionGroup) as raised:
        run_next(runs[0].pk)
    assert {error.args[0] for error in raised.value.exceptions} == {run.pk for run in runs}
    assert statuses(articles) == [Status.FAILED] * 2


def fail_additional_claims(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Claiming another run for the same process raises ``error``."""

    def broken(exclude: set[int], *, shared_process: bool = False) -> int | None:
        if shared_process:
            raise error
        return next_run(exclude)

    monkeypatch.setattr(jobs, "next_run", broken)


def test_an_error_while_claiming_another_run_does_not_stop_the_first(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_additional_claims(monkeypatch, ZeroDivisionError())
    articles, runs = waiting(owner, 2)
    with pytest.raises(ZeroDivisionError):
        run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED, Status.PENDING]


def test_an_unavailable_database_only_prevents_claiming_another_run(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fail_additional_claims(monkeypatch, OperationalError("restarting"))
    articles, runs = waiting(owner, 2)
    run_next(runs[0].pk)
    assert statuses(articles) == [Status.COMPLETED, Status.PENDING]
    assert "waiting runs cannot be read, the database is unavailable: restarting" in caplog.text


# The job of a run that was claimed without it


def jobs_of(run: Run) -> list[str]:
    return [job_id for job_id in django_rq.get_queue("articles").job_ids if job_id.startswith(f"run-{run.pk}-")]


def test_the_job_of_an_additional_run_is_removed_from_the_queue(owner: User, redis: Redis) -> None:
    _, runs = waiting(owner, 2)
    [called], [spare] = map(jobs_of, runs)
    run_next(runs[0].pk)
    assert (jobs_of(runs[0]), jobs_of(runs[1])) == ([called], [])
    assert not Job.exists(spare, redis), "the record of its job is deleted too"


def test_a_job_that_cannot_be_removed_is_logged(
    owner: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, [run] = waiting(owner, 1)

    def unavailable(*args: object) -> object:
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(django_rq, "get_queue", unavailable)
    remove_job(run.pk)
    assert f"run {run.pk}: its job stays in the queue: refused" in caplog.text
