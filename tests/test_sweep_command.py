"""The sweeper's loop: it ends when asked, and outlives a store that is away for a while."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import OperationalError
from redis.exceptions import ConnectionError as RedisAway

from articles import services
from articles.management.commands import sweep
from tests.environment import ROOT


@pytest.mark.django_db(transaction=True)
def test_it_ends_in_good_order_when_asked(program_environment):
    command = [sys.executable, str(ROOT / "manage.py"), "sweep", "--every", "0.05"]
    sweeper = subprocess.Popen(command, env=program_environment)
    with pytest.raises(subprocess.TimeoutExpired):
        sweeper.wait(timeout=3)
    sweeper.terminate()
    assert sweeper.wait(timeout=20) == 0


@pytest.mark.django_db(transaction=True)
def test_it_looks_again_and_again(monkeypatch):
    looks: list[int] = []

    def look() -> int:
        looks.append(1)
        if len(looks) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return 0

    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    monkeypatch.setattr(services, "sweep", look)
    try:
        call_command("sweep", every=0.01)
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGINT), before, strict=True):
            signal.signal(number, handler)
    assert len(looks) == 3


@pytest.mark.parametrize("error", [OperationalError("the server is restarting"), RedisAway("refused")])
def test_what_is_away_for_a_while_is_told_of_and_asked_again(monkeypatch, caplog, error, db):
    def away() -> int:
        raise error

    monkeypatch.setattr(services, "sweep", away)
    sweep.sweep_once()
    assert "will try again" in caplog.text


def test_a_fault_is_not_hidden(monkeypatch, db):
    def broken() -> int:
        raise LookupError

    monkeypatch.setattr(services, "sweep", broken)
    with pytest.raises(LookupError):
        sweep.sweep_once()


def test_what_was_put_back_is_counted(monkeypatch, caplog, db):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(services, "sweep", lambda: 2)
    sweep.sweep_once()
    assert "Put 2 runs back to work." in caplog.text
