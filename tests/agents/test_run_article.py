"""What a job holds and lets go of: its lease where the store is away, its run where it is stopped, the turn of who is behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, connection
from pytest_django import Settings

from agents.research import reading
from agents.worker import jobs
from agents.worker import run_article as run_article_module
from agents.worker.jobs import run_next, run_now
from agents.worker.run_article import STOPPED_MESSAGE
from articles.exceptions import UNEXPECTED_ERROR
from articles.models import Run, Status
from articles.runs.lease import Claim
from articles.services import retry_run
from tests.agents.test_jobs import after, configure, made
from tests.factories import UserFactory
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner() -> User:
    return UserFactory()


@pytest.fixture(autouse=True)
def offline(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEARCH_PROVIDER, settings.HAS_MODEL = "none", False
    monkeypatch.setattr(run_article_module, "LEASE_CHECK_SECONDS", 0.05)


@pytest.fixture
def slow(settings: Settings) -> Iterator[ModelServer]:
    with ModelServer(token_seconds=0.002) as server:
        configure(settings, server)
        yield server


# Its lease


@pytest.mark.parametrize("away", [OperationalError("restarting"), InterfaceError("the connection is closed")])
def test_a_lease_the_store_could_not_tell_of_is_renewed_at_the_next_look(
    owner: User, slow: ModelServer, monkeypatch: pytest.MonkeyPatch, settings: Settings, away: Exception
) -> None:
    settings.LEASE_SECONDS = 3600  # else it would be renewed before long anyway
    looks: list[str] = []
    holds_lease, renew_lease = run_article_module.holds_lease, run_article_module.renew_lease

    def shaky(claim: Claim) -> bool:
        looks.append("looked")
        if looks.count("looked") == 2:
            raise away
        return holds_lease(claim)

    def renew(claim: Claim) -> bool:
        looks.append("renewed")
        return renew_lease(claim)

    monkeypatch.setattr(run_article_module, "holds_lease", shaky)
    monkeypatch.setattr(run_article_module, "renew_lease", renew)
    article, run = made(owner)
    run_now(run.pk)
    assert looks[:4] == ["looked", "looked", "renewed", "looked"]
    assert after(article).status == Status.COMPLETED


def test_a_mistake_in_looking_after_the_lease_ends_the_work(
    owner: User, slow: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(claim: Claim) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(run_article_module, "holds_lease", broken)
    article, run = made(owner)
    with pytest.raises(ZeroDivisionError):
        run_now(run.pk)
    assert after(article).message == UNEXPECTED_ERROR


# Its run


def test_a_run_is_handed_over_while_a_thread_reads_on(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end = threading.Event(), threading.Event()
    read_text = reading.read_text
    seen: list[str] = []

    def read_for_long(text: str, title: str = "") -> object:
        begun.set()
        may_end.wait(60)
        return read_text(text, title)

    article, run = made(owner)

    def stop_and_wait() -> None:
        try:
            begun.wait(30)
            os.kill(os.getpid(), signal.SIGTERM)
            wait_until(lambda: after(article).message == STOPPED_MESSAGE)
            seen.append("handed over")
        finally:
            may_end.set()
            connection.close()

    monkeypatch.setattr(reading, "read_text", read_for_long)
    stopper = threading.Thread(target=stop_and_wait)
    stopper.start()
    run_now(run.pk)
    stopper.join()
    assert seen, "it was not handed over before the thread had ended"
    run.refresh_from_db()
    assert (run.status, run.token, run.attempts) == (Status.PENDING, None, 0)


# The turn of who is behind


def test_a_run_that_cannot_be_begun_fails_and_keeps_nobody_waiting(
    owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    (broken, run), (behind, _) = made(owner), made(owner)
    Run.objects.filter(pk=run.pk).update(agents={"write": {"role": 5}})
    run_next(run.pk)
    assert (after(broken).status, after(broken).message) == (Status.FAILED, UNEXPECTED_ERROR)
    assert after(behind).status == Status.COMPLETED
    assert "failed before it was claimed" in caplog.text
    assert "ValidationError" in caplog.text, "the log tells its cause"
    retry_run(article=broken, by=owner)
    assert after(broken).status == Status.PENDING


def test_a_store_that_is_away_fails_no_run_that_waits(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(run_id: int) -> set[str]:
        raise OperationalError("restarting")

    monkeypatch.setattr(jobs, "models_needed", away)
    article, run = made(owner)
    with pytest.raises(OperationalError):
        run_next(run.pk)
    assert after(article).status == Status.PENDING


def test_a_mistake_amid_the_work_is_raised_after_it_was_recorded(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run_article_module, "produce", broken)
    article, run = made(owner)
    with pytest.raises(ZeroDivisionError):
        run_next(run.pk)
    assert after(article).message == UNEXPECTED_ERROR
