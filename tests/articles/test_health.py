"""The answer to those who watch over the studio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis as redis_py
from django.db import OperationalError, connection
from django.test import Client

from articles import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No client of an earlier test, and workers counted apart from those other tests may have running."""
    monkeypatch.setattr(health, "WORKERS", "rq:workers:of-these-tests")
    health.redis_client.cache_clear()
    yield
    health.redis_client.cache_clear()


@pytest.fixture
def worker(redis: redis_py.Redis) -> Iterator[None]:
    """Workers' marks in Redis, as RQ leaves them: of one that lives, and of one that was killed and whose key has expired."""
    redis.sadd(health.WORKERS, "rq:worker:living", "rq:worker:killed")
    redis.hset("rq:worker:living", "state", "idle")
    yield
    redis.delete(health.WORKERS, "rq:worker:living")


def ask() -> tuple[int, dict[str, Any]]:
    answer = Client().get("/api/health")
    return answer.status_code, answer.json()


def test_all_is_well_with_a_living_worker(worker: None, settings: Any) -> None:
    settings.HAS_MODEL, settings.LLM_MODEL = True, "gpt-test"
    assert ask() == (
        200,
        {
            "status": "ok",
            "version": settings.VERSION,
            "database": True,
            "redis": True,
            "workers": 1,
            "model": {"configured": True, "name": "gpt-test"},
        },
    )


def test_without_workers_it_serves_but_says_so() -> None:
    status, told = ask()
    assert (status, told["status"], told["workers"]) == (200, "degraded", 0)
    assert told["model"] == {"configured": False, "name": "the built-in writer"}


def test_without_redis_it_cannot_serve_and_answers_at_once(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.REDIS_ADDRESS = "redis://127.0.0.1:1"
    status, told = ask()
    assert (status, told["status"], told["redis"], told["workers"]) == (503, "unavailable", False, 0)
    assert "Redis does not answer" in caplog.text


def test_without_its_database_it_cannot_serve(
    worker: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise OperationalError("the disk is gone")

    monkeypatch.setattr(connection, "cursor", refuse)
    status, told = ask()
    assert (status, told["status"], told["database"]) == (503, "unavailable", False)
    assert "disk is gone" not in str(told)
    assert "disk is gone" in caplog.text
