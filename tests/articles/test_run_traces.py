"""A run belongs to the trace of its request, whichever worker executes it and whatever its job says."""

from __future__ import annotations

import pytest
import redis as redis_py
from redis.exceptions import ConnectionError as RedisConnectionError

from agents.worker import traces
from articles.models import Run
from articles.runs import queue
from articles.runs.recovery import resubmit
from articles.runs.traces import KEPT_SECONDS, trace_of
from tests.factories import UserFactory, claim, make_article

pytestmark = pytest.mark.django_db(transaction=True)
TRACE = f"00-{'ab' * 16}-{'cd' * 8}-01"


def requested_in_a_trace(monkeypatch: pytest.MonkeyPatch) -> Run:
    with monkeypatch.context() as patched:
        patched.setattr(queue, "traceparent", lambda: TRACE)
        return make_article(UserFactory.create()).runs.get()


def test_the_trace_of_a_request_is_kept_for_its_run(monkeypatch: pytest.MonkeyPatch, redis: redis_py.Redis) -> None:
    run, other = requested_in_a_trace(monkeypatch), make_article(UserFactory.create()).runs.get()
    assert trace_of(run.pk) == TRACE
    assert trace_of(other.pk) == ""
    assert KEPT_SECONDS - 60 < redis.ttl(f"studio:trace:{run.pk}") <= KEPT_SECONDS


def test_a_job_that_the_sweeper_submits_again_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    run = requested_in_a_trace(monkeypatch)
    assert resubmit(run)
    assert trace_of(run.pk) == TRACE


async def test_without_redis_a_run_has_a_trace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from asgiref.sync import sync_to_async

    def away(run_id: int) -> str:
        raise RedisConnectionError("away")

    held = await sync_to_async(lambda: claim(make_article(UserFactory.create())))()
    started: list[str] = []

    class NoSpan:
        trace_id = "f" * 32

        def __init__(self, name: str, kind: str, attributes: object, *, parent: str) -> None:
            started.append(parent)

        def __enter__(self) -> NoSpan:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def set(self, attributes: object) -> None:
            pass

    monkeypatch.setattr(traces, "is_enabled", lambda: True)
    monkeypatch.setattr(traces, "trace_of", away)
    monkeypatch.setattr(traces, "span", NoSpan)
    async with traces.traced_run(held):
        assert started == [""]
