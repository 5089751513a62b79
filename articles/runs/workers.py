"""The registered workers: how many are alive, and their capacity in articles."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, Worker

log = logging.getLogger(__name__)

QUEUE = "articles"

SILENT_AFTER = 30.0
"""Seconds. A worker sends a heartbeat every ten seconds while it waits, and every five while it works."""


@dataclass(frozen=True)
class Workers:
    """``living`` workers have a recent heartbeat and can write ``capacity`` articles at once; ``silent`` ones have none."""

    living: int = 0
    capacity: int = 0
    silent: int = 0


def living_workers() -> int:
    """0 also if Redis does not answer."""
    return (read_workers() or Workers()).living


def capacity() -> int | None:
    """How many articles can be written at once; None if Redis does not answer."""
    workers = read_workers()
    return workers.capacity if workers else None


def read_workers() -> Workers | None:
    """None if Redis does not answer."""
    client = redis_client()
    try:
        with client.pipeline(transaction=False) as pipeline:
            # Worker.all makes several requests for each worker. Of a killed one the key expires, but stays listed for a while.
            for key in Worker.all_keys(queue=Queue(QUEUE, connection=client)):
                pipeline.hmget(key, "last_heartbeat", "capacity", "expires_in")
                pipeline.ttl(key)
            answers = pipeline.execute()
    except (RedisError, OSError) as error:
        log.warning("health: Redis does not answer: %s", error)
        return None
    found = list(zip(answers[::2], answers[1::2], strict=True))
    living = [
        int(capacity or 1)
        for (beat, capacity, expires_in), seconds_left in found
        if seconds_silent(beat, expires_in, seconds_left) < SILENT_AFTER
    ]
    return Workers(living=len(living), capacity=sum(living), silent=len(found) - len(living))


def seconds_silent(beat: bytes | None, expires_in: bytes | None, seconds_left: int) -> float:
    """Since the last heartbeat, which lets the key expire in ``expires_in`` seconds: by the clock of Redis.

    The worker's own time of it, ``beat``, is by a clock that may differ by minutes. Only workers of an earlier version
    have nothing else. Both are None if the key has expired.
    """
    if beat is None:
        return math.inf
    if expires_in is not None:
        return int(expires_in) - seconds_left
    return (datetime.now(UTC) - datetime.fromisoformat(beat.decode())).total_seconds()


@cache
def redis_client() -> Redis:
    """Cached, with its pool. Short timeouts and no retry: a late answer is of no use here."""
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_ADDRESS, socket_timeout=1, socket_connect_timeout=1, retry=once)
