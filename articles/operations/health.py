"""Whether the studio can serve, and how its work goes, for whoever watches over it. Public: numbers, and nothing of anybody's."""

from __future__ import annotations

import logging
from functools import lru_cache
from time import monotonic
from typing import Literal

from django.conf import settings
from django.db import Error
from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.utils import timezone
from pydantic import BaseModel, Field

from articles.models import Article, Event, Run, Status
from articles.operations.bounded_query import BoundedQuery
from articles.runs.workers import Workers, read_workers

log = logging.getLogger(__name__)


KEPT = 1.0
"""Seconds for which an answer is given again: balancers and monitors ask by the hundred."""


class Model(BaseModel):
    """Who writes. Not asked whether it answers: that costs money, and ``manage.py doctor`` does it."""

    configured: bool
    name: str


class Work(BaseModel):
    """Runs by where they stand: ``waiting`` for a worker, the first of them for ``oldest_waiting`` seconds (0 where none does),
    ``parked`` until their model answers again, ``in_flight`` with a worker, ``awaiting_approval`` or ``paused`` for a person.
    """

    waiting: int = 0
    oldest_waiting: float = 0
    parked: int = 0
    in_flight: int = 0
    awaiting_approval: int = 0
    paused: int = 0


class Health(BaseModel):
    """``degraded``: pages and API serve, but nobody is there to write. ``unavailable``: the database or Redis is away.

    ``workers`` live and can write ``capacity`` articles at once; ``stale_workers`` are registered but silent. ``work`` is null
    where the database is away.
    """

    status: Literal["ok", "degraded", "unavailable"]
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
    """At most ``KEPT`` seconds old."""
    return health_at(int(monotonic() / KEPT))


@lru_cache(maxsize=1)
def health_at(moment: int) -> Health:
    work, workers = look_at_work(), read_workers()
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


# The database


def look_at_work() -> Work | None:
    """None where the database does not answer."""
    try:
        return inquiry.ask()
    except (Error, TimeoutError) as error:
        log.warning("health: the database does not answer: %s", error)
        return None


def count_work() -> Work:
    waiting = Q(status=Status.PENDING, awaits="")
    # When it began to wait. Its job may have been submitted again since: that is what `enqueued_at` tells.
    changes = Event.objects.filter(run=OuterRef("pk"), type=Event.Type.STATUS_CHANGE)
    told = changes.order_by("-seq").values("created_at")[:1]
    found = Run.objects.active().aggregate(
        waiting=Count("pk", filter=waiting),
        since=Min(Subquery(told), filter=waiting),
        parked=Count("pk", filter=Q(status=Status.PENDING) & ~Q(awaits="")),
        in_flight=Count("pk", filter=Q(status=Status.PROCESSING)),
        awaiting_approval=Count("pk", filter=Q(status=Status.AWAITING_APPROVAL)),
    )
    # Not its runs: an earlier one stays paused for ever.
    paused = Article.objects.filter(status=Status.PAUSED).count()
    since = found.pop("since")
    oldest = (timezone.now() - since).total_seconds() if since else 0
    return Work(**found, oldest_waiting=round(max(0, oldest), 1), paused=paused)


inquiry = BoundedQuery(count_work, patience=2)


# Redis
