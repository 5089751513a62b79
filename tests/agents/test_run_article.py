"""The job of a run: its lease during an outage, handing over when stopped, and unexpected errors."""

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
from agents.research.documents import read_text
from agents.worker import jobs
from agents.worker import run_article as run_article_module
from agents.worker.jobs import run_next, run_now
from agents.worker.run_article import STOPPED_MESSAGE
from articles.exceptions import UNEXPECTED_ERROR
from articles.models import Run, Status
from articles.runs.lease import Claim, holds_lease, renew_lease
from articles.services import retry_run
from tests.agents.test_jobs import after, configure, made
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def offline(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SEARCH_PROVIDER, settings.HAS_MODEL = "none", False
    monkeypatch.setattr(run_article_module, "LEASE_CHECK_SECONDS", 0.05)


@pytest.fixture
def slow_model(settings: Settings) -> Iterator[ModelServer]:
    with ModelServer(token_seconds=0.002) as server:
        configure(settings, server)
        yield server


# Lease


@pytest.mark.parametrize("error", [OperationalError("restarting"), InterfaceError("the connection is closed")])
def test_a_failed_lease_check_is_followed_by_a_renewal(
    owner: User, slow_model: ModelServer, monkeypatch: pytest.MonkeyPatch, settings: Settings, error: Exception
) -> None:
    settings.LEASE_SECONDS = 3600  # it must not be renewed for another reason
    calls: list[str] = []

    def fail_once(claim: Claim) -> bool:
        calls.append("checked")
        if calls.count("checked") == 2:
            raise error
        return holds_lease(claim)

    def renew(claim: Claim) -> bool:
        calls.append("renewed")
        return renew_lease(claim)

    monkeypatch.setattr(run_article_module, "holds_lease", fail_once)
    monkeypatch.setattr(run_article_module, "renew_lease", renew)
    article, run = made(owner)
    run_now(run.pk)
    assert calls[:4] == ["checked", "checked", "renewed", "checked"]
    assert after(article).status == Status.COMPLETED


def test_an_unexpected_error_of_the_lease_check_fails_the_run(
    owner: User, slow_model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(claim: Claim) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(run_article_module, "holds_lease", broken)
    article, run = made(owner)
    with pytest.raises(ZeroDivisionError):
        run_now(run.pk)
    assert after(article).message == UNEXPECTED_ERROR


# Handing over


def test_a_run_is_handed_over_while_a_thread_is_still_reading(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    started, may_end = threading.Event(), threading.Event()
    seen: list[str] = []

    def read_slowly(text: str, title: str = "") -> object:
        started.set()
        may_end.wait(60)
        return read_text(text, title)

    article, run = made(owner)

    def stop_and_wait() -> None:
        try:
            started.wait(30)
            os.kill(os.getpid(), signal.SIGTERM)
            wait_until(lambda: after(article).message == STOPPED_MESSAGE)
            seen.append("handed over")
        finally:
            may_end.set()
            connection.close()

    monkeypatch.setattr(reading, "read_text", read_slowly)
    stopper = threading.Thread(target=stop_and_wait)
    stopper.start()
    run_now(run.pk)
    stopper.join()
    assert seen, "it was not handed over before the thread had ended"
    run.refresh_from_db()
    assert (run.status, run.token, run.attempts) == (Status.PENDING, None, 0)


# Errors and the next run


def test_a_run_that_cannot_start_fails_and_the_next_one_is_performed(
    owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    (broken, run), (other, _) = made(owner), made(owner)
    Run.objects.filter(pk=run.pk).update(agents={"write": {"role": 5}})
    run_next(run.pk)
    assert (after(broken).status, after(broken).message) == (Status.FAILED, UNEXPECTED_ERROR)
    assert after(other).status == Status.COMPLETED
    assert "failed before it was claimed" in caplog.text
    assert "ValidationError" in caplog.text, "the log has the cause"
    retry_run(article=broken, by=owner)
    assert after(broken).status == Status.PENDING


def test_an_unavailable_database_does_not_fail_waiting_runs(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(run_id: int) -> set[str]:
        raise OperationalError("restarting")

    monkeypatch.setattr(jobs, "models_needed", unavailable)
    article, run = made(owner)
    with pytest.raises(OperationalError):
        run_next(run.pk)
    assert after(article).status == Status.PENDING


def test_an_unexpected_error_is_recorded_and_raised(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(run_article_module, "produce", broken)
    article, run = made(owner)
    with pytest.raises(ZeroDivisionError):
        run_next(run.pk)
    assert after(article).message == UNEXPECTED_ERROR
