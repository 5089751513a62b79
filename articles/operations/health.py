"""The health check: database, Redis, workers and the queue."""

from __future__ import annotations

import logging
from typing import Literal

from django.conf import settings
from django.core.cache import caches
from django.db import Error
from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.utils import timezone
from pydantic import BaseModel, Field

from articles.models import Article, Event, Run, Status
from articles.operations.bounded_query import BoundedQuery
from articles.runs.workers import Workers, read_workers

log = logging.getLogger(__name__)

CACHE_KEY = "health"
CACHED_SECONDS = 1
"""Load balancers and monitors may ask hundreds of times a second."""


class Model(BaseModel):
    """The configured model. It is not called, as that costs money; ``manage.py doctor`` does."""

    configured: bool
    name: str


class Work(BaseModel):
    """Numbers of runs: ``waiting`` for a worker, ``parked`` until their provider is available, ``in_flight`` with a worker,
    ``awaiting_approval`` or ``paused`` for a person. ``oldest_waiting`` is in seconds, 0 if none waits.
    """

    waiting: int = 0
    oldest_waiting: float = 0
    parked: int = 0
    in_flight: int = 0
    awaiting_approval: int = 0
    paused: int = 0


class Verdict(BaseModel):
    """``degraded``: pages and API work, but there is no worker. ``unavailable``: the database or Redis cannot be reached."""

    status: Literal["ok", "degraded", "unavailable"]


class Health(Verdict):
    """The ``workers`` can write ``capacity`` articles at once; ``stale_workers`` are registered but send no heartbeat. ``work``
    is null if the database cannot be reached.
    """

    version: str
    database: bool
    redis: bool
    workers: int
    capacity: int
    places: int = Field(description="Deprecated: the same as `capacity`.")
    stale_workers: int
    work: Work | None
    model: Model


def check_health() -> Health:
    """Cached for ``CACHED_SECONDS``."""
    cache = caches["process"]  # not in Redis, which is one of the things to check
    health: Health | None = cache.get(CACHE_KEY)
    if health is None:
        health = read_health()
        cache.set(CACHE_KEY, health, CACHED_SECONDS)
    return health


def read_health() -> Health:
    work, workers = read_work(), read_workers()
    found = workers or Workers()
    return Health(
        status="unavailable" if work is None or workers is None else "ok" if found.living else "degraded",
        version=settings.VERSION,
        database=work is not None,
        redis=workers is not None,
        workers=found.living,
        capacity=found.capacity,
        places=found.capacity,
        stale_workers=found.silent,
        work=work,
        model=Model(
            configured=settings.HAS_MODEL, name=settings.LLM_MODEL if settings.HAS_MODEL else "the built-in writer"
        ),
    )


def read_work() -> Work | None:
    """None if the database does not answer."""
    try:
        return work_query.run()
    except (Error, TimeoutError) as error:
        log.warning("health: the database does not answer: %s", error)
        return None


def count_work() -> Work:
    waiting = Q(status=Status.PENDING, awaited_model="")
    # When it began to wait. `enqueued_at` is no use: a lost job is submitted again.
    changes = Event.objects.filter(run=OuterRef("pk"), type=Event.Type.STATUS_CHANGE)
    waiting_since = changes.order_by("-seq").values("created_at")[:1]
    found = Run.objects.active().aggregate(
        waiting=Count("pk", filter=waiting),
        since=Min(Subquery(waiting_since), filter=waiting),
        parked=Count("pk", filter=Q(status=Status.PENDING) & ~Q(awaited_model="")),
        in_flight=Count("pk", filter=Q(status=Status.PROCESSING)),
        awaiting_approval=Count("pk", filter=Q(status=Status.AWAITING_APPROVAL)),
    )
    # Articles, not runs: an earlier run of an article may stay paused forever.
    paused = Article.objects.filter(status=Status.PAUSED).count()
    since = found.pop("since")
    oldest = (timezone.now() - since).total_seconds() if since else 0
    return Work(**found, oldest_waiting=round(max(0, oldest), 1), paused=paused)


work_query = BoundedQuery(count_work, seconds=2)
