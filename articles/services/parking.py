"""Runs whose model's provider is away: parked without a worker, and tried again by themselves.

One run tries, the others of the same model wait for how it fares: a hundred of them do not ask at once, and when it is
answered all go on. Who tries is who asked least: a run that fails for what it asks keeps the others waiting once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from agents.exceptions import ProviderAway
from articles.lease import Claim, writing_as
from articles.ledger import Pen, writing
from articles.models import Article, Run, Status
from articles.models.run import NOT_PARKED
from articles.services.runs import WAITING, enqueue

log = logging.getLogger(__name__)

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
"""Between two tries. In between it is as long as the provider has been away: after 1, 2, 4, 8, 16, 30, 30 … minutes."""

GIVEN_UP_AFTER = timedelta(hours=24)

ENOUGH = 2
"""Runs that asked in vain before others wait with them unasked: one alone may have failed for what it asks."""


def park_run(claim: Claim, away: ProviderAway) -> None:
    """Let go of a run that asked in vain, until its model is tried again. What is done stays; no worker is held.

    Raises RunTakenAway. Those that wait for the same model are put off to the same time, each in a transaction of its own.
    """
    now = timezone.now()
    with writing_as(claim) as (pen, run):
        until = next_try(run, away, now)
        tried = {"parkings": run.parkings + 1, "token": None, "lease_expires_at": None, "attempts": 0}
        wait(pen, run, until, str(away), since=run.parked_since or now, awaits=away.model, **tried)
    earlier = Run.objects.parked(away.model).filter(not_before__lt=until)
    for_each(earlier, lambda pen, run: wait(pen, run, until, str(away), since=run.parked_since or now))


def next_try(run: Run, away: ProviderAway, now: datetime) -> datetime:
    """When ``run`` and those that wait for the same model try again: at the time that is set, where one is."""
    others = Run.objects.parked(away.model)
    asked_for = now + timedelta(seconds=away.retry_after or 0)
    set_before: datetime | None = others.filter(not_before__gt=now).aggregate(Max("not_before"))["not_before__max"]
    if set_before:
        return max(set_before, asked_for)
    first: datetime = others.aggregate(Min("parked_since"))["parked_since__min"] or now
    pause = min(max(now - min(first, run.parked_since or now), SHORTEST), LONGEST)
    return max(now + pause * random.uniform(0.9, 1.1), asked_for)  # noqa: S311  # spreads studios, guards nothing


def wait_with_others(run_id: int, model: str) -> bool:
    """Park a run that has not asked ``model`` yet, where others did in vain and wait. Must it wait now?"""
    others = Run.objects.awaiting(model).exclude(pk=run_id)
    if others.filter(parkings__gt=0).count() < ENOUGH:
        return False
    unasked = Run.objects.filter(pk=run_id, status=Status.PENDING, parked_since=None)
    latest = others.exclude(not_before=None).order_by("-not_before").first()
    if latest is None or latest.not_before is None:
        return False
    until, reason, now = latest.not_before, latest.reason, timezone.now()
    for_each(unasked, lambda pen, run: wait(pen, run, until, reason, since=now, awaits=model))
    return not Run.objects.claimable(timezone.now()).filter(pk=run_id).exists()


def for_each(runs: QuerySet[Run], do: Callable[[Pen, Run], object]) -> None:
    """``do`` it to each of ``runs`` that still is one once its article's row is held, each in a transaction of its own."""
    for run_id, article_id in list(runs.values_list("pk", "article_id")):
        try:
            with writing(article_id) as pen:
                if run := runs.filter(pk=run_id).first():
                    do(pen, run)
        except Article.DoesNotExist:
            log.info("run %s was deleted while it waited", run_id)


def wait(pen: Pen, run: Run, until: datetime, reason: str, *, since: datetime, **changes: object) -> bool:
    """Have ``run`` wait; failed instead, where that is longer than anybody should be kept waiting."""
    if until - since > GIVEN_UP_AFTER:
        reason = f"{reason} The studio has tried for {GIVEN_UP_AFTER // timedelta(hours=1)} hours."
        ended = {"token": None, "lease_expires_at": None, "finished_at": timezone.now(), **NOT_PARKED}
        return pen.change_status(run, Status.FAILED, reason, reason=reason, **ended)
    message = f"Waiting for the model, next try {timezone.localtime(until):%H:%M %Z}"
    parked = {"not_before": until, "parked_since": since, **changes}
    return pen.change_status(run, Status.PENDING, message, reason=reason, **parked)


def answered(run: Run) -> None:
    """Note that a run that was parked got an answer. Those that wait for the same model go on once that is committed."""
    model = run.awaits
    for field, value in {**NOT_PARKED, "reason": ""}.items():
        setattr(run, field, value)
    run.save(update_fields=[*NOT_PARKED, "reason"])
    if model:
        transaction.on_commit(lambda: release(model), robust=True)


def release(model: str) -> None:
    """Let the runs that wait for ``model`` go on: in one statement, as whoever got the answer is at work."""
    Run.objects.parked(model).update(awaits="", not_before=None)


def call_released() -> int:
    """Tell of the runs that were let go, and call workers to them; how many there were."""
    released = Run.objects.released()
    count = released.count()
    for_each(released, call_worker)
    return count


def call_worker(pen: Pen, run: Run) -> None:
    if pen.change_status(run, Status.PENDING, WAITING, reason="", enqueued_at=timezone.now()):
        enqueue(run)
