"""Machines whose clocks differ by minutes neither take each other's runs nor report each other as dead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import redis as redis_py
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone
from rq import Worker

from articles.models import Run, Spending
from articles.runs import scheduling, workers
from articles.runs.lease import renew_lease
from articles.runs.recovery import sweep
from articles.services import retry_run
from tests.factories import claim, make_article

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not os.environ.get("DATABASE_URL"), reason="SQLite is on the machine whose clock it uses"),
]

On = Callable[[timedelta], AbstractContextManager[None]]
MINUTES = [timedelta(minutes=-5), timedelta(minutes=5)]


@pytest.fixture
def on_machine(monkeypatch: pytest.MonkeyPatch) -> On:
    """What is done in the block is done on a machine whose clock is ahead, or behind."""
    real = timezone.now

    @contextmanager
    def shifted(by: timedelta) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: real() + by)
            yield

    return shifted


@pytest.mark.parametrize("by", MINUTES)
def test_the_lease_of_a_machine_lasts_as_long_as_any(owner: User, on_machine: On, by: timedelta) -> None:
    with on_machine(by):
        held = claim(make_article(owner))
        assert renew_lease(held)
    assert sweep() == 0
    Run.objects.update(lease_expires_at=F("lease_expires_at") - timedelta(seconds=16))
    assert sweep() == 1


@pytest.mark.parametrize("by", MINUTES)
def test_the_sweeper_of_a_machine_takes_no_run_too_early_or_late(owner: User, on_machine: On, by: timedelta) -> None:
    claim(make_article(owner))
    with on_machine(by):
        assert sweep() == 0
    Run.objects.update(lease_expires_at=F("lease_expires_at") - timedelta(seconds=16))
    with on_machine(by):
        assert sweep() == 1


@pytest.mark.parametrize("by", MINUTES)
def test_what_a_worker_reserved_counts_on_all_machines(owner: User, on_machine: On, by: timedelta) -> None:
    held = claim(make_article(owner))
    month = timezone.now().date().replace(day=1)
    Spending.objects.create(token=held.token, user=owner, month=month, reserved=Decimal("0.5"))
    with on_machine(by):
        assert Spending.objects.of_month(owner, month).totals() == (Decimal(0), Decimal("0.5"))
    Run.objects.update(lease_expires_at=F("lease_expires_at") - timedelta(seconds=16))
    with on_machine(by):
        assert Spending.objects.of_month(owner, month).totals() == (Decimal(0), Decimal(0))


@pytest.mark.parametrize("by", MINUTES)
def test_a_run_that_is_due_is_claimed_on_all_machines(owner: User, on_machine: On, by: timedelta) -> None:
    article = make_article(owner)
    run = article.latest_run()
    assert run
    later = timezone.now() + timedelta(minutes=2)
    Run.objects.update(not_before=later, parked_since=run.created_at, awaited_model="a-model")
    with on_machine(by):
        assert scheduling.next_run() is None
        retry_run(article=article, by=owner)
    assert scheduling.next_run() == run.pk


@pytest.mark.parametrize("by", MINUTES)
def test_a_lost_job_is_submitted_again_whoever_submitted_it(
    owner: User, on_machine: On, by: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("articles.runs.recovery.queued_run_ids", set)
    make_article(owner)
    Run.objects.update(enqueued_at=timezone.now() + by)
    with on_machine(by):
        assert sweep() == 1


@pytest.mark.parametrize("by", MINUTES)
def test_a_worker_of_another_clock_is_alive(
    redis: redis_py.Redis, by: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agents.worker.rq_worker import CrewWorker

    workers.redis_client.cache_clear()
    monkeypatch.setattr(workers, "QUEUE", "of-clocks")
    of_heartbeats = Worker.heartbeat.__globals__
    real: Callable[[], datetime] = of_heartbeats["now"]
    monkeypatch.setitem(of_heartbeats, "now", lambda: real() + by)
    worker = CrewWorker(["of-clocks"], connection=redis, capacity=4)
    worker.register_birth()  # type: ignore[no-untyped-call]
    worker.heartbeat()
    try:
        assert workers.read_workers() == workers.Workers(living=1, capacity=4)
        redis.expire(worker.key, 54)  # 31 seconds after the heartbeat
        assert workers.read_workers() == workers.Workers(silent=1)
    finally:
        worker.register_death()  # type: ignore[no-untyped-call]
        workers.redis_client.cache_clear()
