"""Whether the studio can serve, for whoever watches over it. Public, so it tells no more than that."""

from __future__ import annotations

import logging
from functools import cache
from typing import Literal

from django.conf import settings
from django.db import Error, connection
from pydantic import BaseModel
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

WORKERS = "rq:workers:articles"
"""RQ's set of the keys of the queue's workers; a killed worker's key expires, but stays in the set for a while."""


class Model(BaseModel):
    """Who writes. Not asked whether it answers: that costs money, and ``manage.py doctor`` does it."""

    configured: bool
    name: str


class Health(BaseModel):
    """``degraded``: pages and API serve, but nobody is there to write. ``unavailable``: the database or Redis is away."""

    status: Literal["ok", "degraded", "unavailable"]
    version: str
    database: bool
    redis: bool
    workers: int
    model: Model


def check_health() -> Health:
    database, workers = database_answers(), living_workers()
    redis = workers is not None
    return Health(
        status="unavailable" if not (database and redis) else "ok" if workers else "degraded",
        version=settings.VERSION,
        database=database,
        redis=redis,
        workers=workers or 0,
        model=Model(
            configured=settings.HAS_MODEL, name=settings.LLM_MODEL if settings.HAS_MODEL else "the built-in writer"
        ),
    )


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log.warning("health: the database does not answer: %s", error)
        return False
    return True


def living_workers() -> int | None:
    """How many workers have given a sign of life within their time; None where Redis does not answer."""
    client = redis_client()
    try:
        keys = list(client.smembers(WORKERS))
        return client.exists(*keys) if keys else 0
    except (RedisError, OSError) as error:
        log.warning("health: Redis does not answer: %s", error)
        return None


@cache
def redis_client() -> Redis:
    """Kept, with its pool. It waits briefly and asks once: an answer that comes late is of no use here."""
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_ADDRESS, socket_timeout=1, socket_connect_timeout=1, retry=once)
