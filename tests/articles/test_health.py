"""The health check, for load balancers and monitors."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_py
from django.contrib.auth.models import User
from django.core.cache import caches
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rq import Worker
from rq.utils import now, utcformat

from articles.models import Run
from articles.operations import health
from articles.operations.bounded_query import BoundedQuery
from articles.runs import workers
from articles.runs.journal import await_approval, pause_run
from articles.runs.lease import Claim
from tests.articles.clients import client_of
from tests.factories import (
    StaffFactory,
    UserFactory,
    make_article,
    make_completed_article,
    make_manuscript,
    make_processing_article,
)

pytestmark = pytest.mark.django_db(transaction=True)  # the querying thread has its own connection

REGISTERED = "rq:workers:of-these-tests"  # RQ's set of the keys of a queue's workers


@pytest.fixture(autouse=True)
def isolated_counts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No Redis client or cached response of an earlier test, and no workers of other tests."""
    monkeypatch.setattr(workers, "QUEUE", "of-these-tests")
    monkeypatch.setattr(health.work_query, "seconds", 60)  # a busy machine must not count as hanging
    workers.redis_client.cache_clear()
    caches["process"].clear()
    yield
    workers.redis_client.cache_clear()
    caches["process"].clear()


@pytest.fixture
def worker(redis: redis_py.Redis) -> Iterator[None]:
    """RQ worker keys in Redis: of a live worker, an unresponsive one, and one whose key has expired."""
    redis.sadd(REGISTERED, "rq:worker:living", "rq:worker:silent", "rq:worker:killed")
    for name, seconds in (("living", 9), ("silent", 31)):
        beat = utcformat(now() - timedelta(seconds=seconds))
        redis.hset(f"rq:worker:{name}", mapping={"last_heartbeat": beat, "capacity": 4})
    yield
    redis.delete(REGISTERED, "rq:worker:living", "rq:worker:silent")


def ask(client: Client | None = None) -> tuple[int, dict[str, Any]]:
    """Status code and body; as ``client``, or with the key of some user."""
    response = (client or client_of(UserFactory.create())).get("/api/health")
    return response.status_code, response.json()


NO_WORK = {"waiting": 0, "oldest_waiting": 0.0, "parked": 0, "in_flight": 0, "awaiting_approval": 0, "paused": 0}


def test_it_is_ok_with_a_live_worker(worker: None, settings: Any) -> None:
    settings.HAS_MODEL, settings.LLM_MODEL = True, "gpt-test"
    assert ask() == (
        200,
        {
            "status": "ok",
            "version": settings.VERSION,
            "database": True,
            "redis": True,
            "workers": 1,
            "capacity": 4,
            "places": 4,
            "stale_workers": 2,
            "work": NO_WORK,
            "model": {"configured": True, "name": "gpt-test"},
        },
    )


def test_without_a_key_or_session_it_shows_only_the_status(worker: None, client: Client) -> None:
    assert ask(client) == (200, {"status": "ok"})
    assert ask(Client(headers={"Authorization": "Bearer cs_unknown"})) == (200, {"status": "ok"})
    client.force_login(UserFactory.create())
    assert ask(client)[1]["workers"] == 1


def test_the_heartbeat_of_a_real_rq_worker_is_read(redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "QUEUE", "health-test")
    worker = Worker(["health-test"], connection=redis)
    worker.register_birth()
    try:
        assert workers.read_workers() == workers.Workers(living=1, capacity=1)
    finally:
        worker.register_death()


def test_without_workers_it_is_degraded() -> None:
    status, body = ask()
    assert (status, body["status"], body["workers"]) == (200, "degraded", 0)
    assert body["model"] == {"configured": False, "name": "the built-in writer"}


def held(owner: User) -> Claim:
    return make_processing_article(owner)[1]


def test_it_counts_runs_by_what_they_wait_for() -> None:
    owner = UserFactory.create()
    held(owner)
    make_completed_article(owner)
    await_approval(held(owner), make_manuscript().outline)
    pause_run(held(owner), "The spending limit is reached.")
    early, parked, _ = make_article(owner), make_article(owner), make_article(owner)
    early.events.update(created_at=timezone.now() - timedelta(minutes=2))
    Run.objects.filter(article=early).update(enqueued_at=timezone.now())  # its job was lost, and submitted again
    parked.events.update(created_at=timezone.now() - timedelta(hours=1))
    Run.objects.filter(article=parked).update(awaited_model="gpt-test")
    body = ask()[1]["work"]
    assert 120 <= body.pop("oldest_waiting") < 130
    assert body == {"waiting": 2, "parked": 1, "in_flight": 1, "awaiting_approval": 1, "paused": 1}


def test_the_counts_are_cached_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[int] = []

    def count_work() -> health.Work:
        queries.append(1)
        return health.count_work()

    counted = BoundedQuery(count_work, seconds=60)
    monkeypatch.setattr(health, "work_query", counted)
    monkeypatch.setattr(health, "CACHED_SECONDS", 60)
    assert {ask()[0] for _ in range(5)} == {200}
    assert len(queries) == 1
    caches["process"].delete(health.CACHE_KEY)  # as when it expires
    ask()
    assert len(queries) == 2


def test_the_admin_shows_it_above_the_queues(worker: None, client: Client) -> None:
    client.force_login(StaffFactory.create())
    make_article(UserFactory.create())
    page = client.get(reverse("admin:django_rq_home")).content.decode()
    assert re.search(r"Waiting for a worker</th><td>1</td>", page)
    assert re.search(r"Unresponsive workers</th><td>\d</td>", page)


def test_without_redis_it_is_unavailable(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_ADDRESS = "redis://127.0.0.1:1"
    status, body = ask()
    assert (status, body["status"], body["redis"], body["workers"]) == (503, "unavailable", False, 0)
    assert "Redis does not answer" in caplog.text


def test_without_the_database_it_is_unavailable(
    worker: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(UserFactory.create())

    def refuse(self: BaseDatabaseWrapper) -> None:
        raise OperationalError("the disk is gone")

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", refuse)
    assert ask(client) == (503, {"status": "unavailable"}), "nobody can be authenticated"
    found = health.check_health()
    assert (found.database, found.redis, found.work) == (False, True, None)
    assert "disk is gone" in caplog.text


def test_a_hanging_database_is_unavailable_and_blocks_one_thread_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    thaw, asked, connect = threading.Event(), [], BaseDatabaseWrapper.connect
    client = client_of(UserFactory.create())

    def hang(self: BaseDatabaseWrapper) -> None:
        asked.append(1)
        thaw.wait()
        connect(self)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", hang)
    monkeypatch.setattr(health.work_query, "seconds", 0.05)
    try:
        for _ in range(3):
            caches["process"].clear()
            assert ask(client) == (503, {"status": "unavailable"})
            assert health.check_health().redis
        assert len(asked) == 1
        assert "no answer within 0.05 s" in caplog.text
    finally:
        thaw.set()
    monkeypatch.setattr(health.work_query, "seconds", 60)
    caches["process"].clear()
    assert ask()[1]["database"]
