"""Histograms and counters of runs and steps, summed in Redis over all processes and machines.

The database could give the same sums, but only of existing articles and by reading all steps at each scrape: they would fall when
an article is deleted, and take longer with each one written. If Redis is emptied they begin at 0 again, as counters may.
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from redis.exceptions import RedisError

from agents.contract import AGENTS
from agents.exceptions import FailureCode
from articles.models import Event, Run, Status, Step
from articles.runs.workers import redis_client

log = logging.getLogger(__name__)

PREFIX = "studio:metrics:"
PAUSE_SECONDS = 5.0
"""After Redis did not answer. Without it, each change of a step would wait for its time limit."""


@dataclass(frozen=True)
class Measure:
    """A histogram, or a counter if it has no ``bounds``. Its ``label`` has one of ``values``.

    Stored in a hash: the field of a bucket is ``value|bound``, that of a sum ``value|sum``.
    """

    name: str
    documentation: str
    bounds: Sequence[float] = ()
    label: str = ""
    values: Sequence[str] = ("",)

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.name}"

    def bucket(self, amount: float) -> str:
        """The first bound that ``amount`` does not exceed."""
        place = bisect_left(self.bounds, amount)
        return str(float(self.bounds[place])) if place < len(self.bounds) else "+Inf"


SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
DOLLARS = (0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ALL_AGENTS = tuple(AGENTS.values())

QUEUE_WAIT = Measure(
    "studio_queue_wait_seconds", "How long runs waited for a worker.", (1, 2.5, *SECONDS[4:], 1800, 3600)
)
STEP_SECONDS = Measure("studio_step_seconds", "Duration of completed steps.", SECONDS, "agent", ALL_AGENTS)
STEP_COST = Measure("studio_step_cost_dollars", "Cost of ended steps in US dollars.", DOLLARS, "agent", ALL_AGENTS)
RUN_SECONDS = Measure(
    "studio_run_seconds", "From the request to the completed article.", (*SECONDS[5:], 1800, 3600, 7200)
)
RUN_COST = Measure("studio_run_cost_dollars", "Cost of completed runs in US dollars.", DOLLARS)
OUTCOMES = Measure(
    "studio_run_outcomes",
    "Ended runs: completed, cancelled, paused, or why they failed.",
    label="outcome",
    values=(Status.COMPLETED.value, Status.CANCELLED.value, Status.PAUSED.value, *(code.value for code in FailureCode)),
)
MEASURES = (QUEUE_WAIT, STEP_SECONDS, STEP_COST, RUN_SECONDS, RUN_COST, OUTCOMES)


class Recorder:
    """Adds to the sums in Redis. What it cannot add is kept, and added once Redis answers again."""

    def __init__(self) -> None:
        self._waiting = defaultdict[tuple[str, str], float](float)
        self._lock = threading.Lock()
        self._paused_until = 0.0

    def observe(self, measure: Measure, amount: float, value: str = "") -> None:
        with self._lock:
            self._waiting[measure.key, f"{value}|{measure.bucket(amount)}"] += 1
            self._waiting[measure.key, f"{value}|sum"] += amount
            self._send()

    def count(self, measure: Measure, value: str) -> None:
        with self._lock:
            self._waiting[measure.key, f"{value}|sum"] += 1
            self._send()

    def _send(self) -> None:
        if time.monotonic() < self._paused_until:
            return
        try:
            with redis_client().pipeline(transaction=True) as pipeline:
                for (key, field), amount in self._waiting.items():
                    pipeline.hincrbyfloat(key, field, amount)
                pipeline.execute()
        except (RedisError, OSError) as error:
            log.info("measurements are kept until Redis answers: %s", error)
            self._paused_until = time.monotonic() + PAUSE_SECONDS
        else:
            self._waiting.clear()


recorder = Recorder()


def read_sums() -> dict[str, Mapping[str, float]]:
    """The fields of each measure, by its name. Raises RedisError."""
    with redis_client().pipeline(transaction=False) as pipeline:
        for measure in MEASURES:
            pipeline.hgetall(measure.key)
        found = pipeline.execute()
    return {
        measure.name: {field.decode(): float(amount) for field, amount in fields.items()}
        for measure, fields in zip(MEASURES, found, strict=True)
    }


# What is measured, after the commit of the transaction that it happens in


def measure_step(step: Step, cost: float) -> None:
    """A step that has ended, with the cost of the calls that were made since it started."""
    seconds, agent = step.seconds, step.key.agent

    def record() -> None:
        if step.output is not None and seconds is not None:
            recorder.observe(STEP_SECONDS, seconds, agent)
        recorder.observe(STEP_COST, cost, agent)

    transaction.on_commit(record, robust=True)


def measure_status(run: Run, waited_since: float | None) -> None:
    """A run whose status has changed. ``waited_since`` is a time in seconds, if it waited for a worker until now."""
    if waited_since is not None:
        waited = max(0.0, timezone.now().timestamp() - waited_since)
        transaction.on_commit(partial(recorder.observe, QUEUE_WAIT, waited), robust=True)
    outcome = run.failure_code if run.status == Status.FAILED else run.status
    if outcome in OUTCOMES.values:
        transaction.on_commit(partial(recorder.count, OUTCOMES, outcome), robust=True)
    if run.status == Status.COMPLETED:
        seconds = (timezone.now() - run.created_at).total_seconds()
        cost = float(run.steps.aggregate(cost=Sum("cost"))["cost"] or 0)
        transaction.on_commit(partial(recorder.observe, RUN_SECONDS, seconds), robust=True)
        transaction.on_commit(partial(recorder.observe, RUN_COST, cost), robust=True)


def waiting_since(run: Run, new: str) -> float | None:
    """When a run that is now claimed began to wait for a worker, in seconds; None if it waited for its provider, too."""
    if run.status != Status.PENDING or new != Status.PROCESSING or run.parked_since:
        return None
    changes = Event.objects.filter(run=run, type=Event.Type.STATUS_CHANGE).order_by("-seq")
    since = changes.values_list("created_at", flat=True).first() or run.created_at
    return float(since.timestamp())
