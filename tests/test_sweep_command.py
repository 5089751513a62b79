"""The sweeper's loop: it exits on SIGTERM, and continues after an outage of the database."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import count

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisUnavailable
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisSlow

from articles.management.commands import sweep as sweep_command
from articles.models import Run, Status
from tests.environment import ROOT
from tests.factories import UserFactory, make_processing_article
from tests.waiting import wait_until


@pytest.mark.django_db(transaction=True)
def test_it_sweeps_at_once_and_exits_on_sigterm(program_environment: dict[str, str]) -> None:
    make_processing_article(UserFactory.create())
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    command = [sys.executable, str(ROOT / "manage.py"), "sweep", "--every", "600"]
    sweeper = subprocess.Popen(command, env=program_environment)
    wait_until(lambda: Run.objects.filter(status=Status.PENDING).exists())
    sweeper.terminate()
    assert sweeper.wait(timeout=60) == 0


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Restores the signal handlers of the test process, which the command replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.django_db(transaction=True)
def test_it_sweeps_repeatedly(monkeypatch: pytest.MonkeyPatch, own_signals: None) -> None:
    sweeps: list[bool] = []

    def record_sweep(*, by_lease: bool) -> int:
        sweeps.append(by_lease)
        if len(sweeps) == 2:
            raise OperationalError("the server is restarting")
        if len(sweeps) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return 0

    monkeypatch.setattr(sweep_command, "sweep", record_sweep)
    call_command("sweep", every=0.01)
    assert sweeps == [True, True, False], "leases cannot be renewed during an outage"


@pytest.mark.parametrize(
    "error", [OperationalError("the server is restarting"), RedisUnavailable("refused"), RedisSlow("silent")]
)
def test_an_outage_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, db: None
) -> None:
    def raise_outage(**how: bool) -> int:
        raise error

    monkeypatch.setattr(sweep_command, "sweep", raise_outage)
    assert sweep_command.sweep_once() is isinstance(error, RedisError), (
        "an unavailable database is distinguished from an unavailable Redis"
    )
    assert "will try again" in caplog.text


def test_other_errors_are_raised(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    def broken(**how: bool) -> int:
        raise LookupError

    monkeypatch.setattr(sweep_command, "sweep", broken)
    with pytest.raises(LookupError):
        sweep_command.sweep_once()


def test_requeued_runs_are_counted(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, db: None) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sweep_command, "sweep", lambda **how: 2)
    sweep_command.sweep_once()
    assert "Requeued 2 runs." in caplog.text


@pytest.mark.django_db(transaction=True)
def test_expired_sessions_are_deleted_once_a_day(monkeypatch: pytest.MonkeyPatch, own_signals: None) -> None:
    for key, hours in (("ended", -1), ("open", 1)):
        Session.objects.create(session_key=key, expire_date=timezone.now() + timedelta(hours=hours))
    sweeps, tidied = count(1), []

    def record_sweep(**how: bool) -> int:
        if next(sweeps) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return 0

    def clear(name: str) -> None:
        tidied.append(name)
        if len(tidied) == 1:
            raise OperationalError("the server is restarting")
        call_command(name)

    monkeypatch.setattr(sweep_command, "sweep", record_sweep)
    monkeypatch.setattr(sweep_command, "call_command", clear)
    call_command("sweep", every=0.01)
    assert tidied == ["clearsessions"] * 2, "once after the outage, and once for today"
    assert [session.pk for session in Session.objects.all()] == ["open"]
