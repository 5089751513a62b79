"""Runs whose model's provider is away: parked without a worker, and tried again by themselves.

One run tries, the others of the same model wait for how it fares: a hundred of them do not ask at once, and when it is
answered all go on. Who tries is who asked least: a run that fails for what it asks keeps the others waiting once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from agents.contract import Stage
from agents.exceptions import ProviderUnavailable
from articles.exceptions import ArticleGone
from articles.models import Run, Status
from articles.models.run import NOT_PARKED
from articles.runs.agent_settings import models_for
from articles.runs.db_retry import retry_on_outage
from articles.runs.event_log import ArticleTransaction, article_transaction
from articles.runs.lease import Claim, run_transaction
from articles.runs.queue import WAITING, enqueue

log = logging.getLogger(__name__)

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
"""Between two tries. In between it is as long as the provider has been away: after 1, 2, 4, 8, 16, 30, 30 … minutes."""

GIVEN_UP_AFTER = timedelta(hours=24)

ENOUGH = 2
"""Runs that asked in vain before others wait with them unasked: one alone may have failed for what it asks."""


def park_run(claim: Claim, away: ProviderUnavailable) -> None:
    """Let go of a run that asked in vain, until its model is tried again. What is done stays; no worker is held.

    Raises LeaseLost. Those that wait for the same model are put off to the same time, each in a transaction of its own.
    """
    postpone_others(away, park(claim, away))


@retry_on_outage
def park(claim: Claim, away: ProviderUnavailable) -> datetime:
    """Park the claim's run; when its model is tried again. Raises LeaseLost."""
    now = timezone.now()
    with run_transaction(claim) as (tx, run):
        until = next_try(run, away, now)
        tried = {"parkings": run.parkings + 1, "token": None, "lease_expires_at": None, "attempts": 0}
        postpone(tx, run, until, str(away), since=run.parked_since or now, awaits=away.model, **tried)
    return until


@retry_on_outage
def postpone_others(away: ProviderUnavailable, until: datetime) -> None:
    """Have those that wait for the same model wait until then; tried again, it leaves alone who is put off already."""
    earlier = Run.objects.parked(away.model).filter(not_before__lt=until)
    update_each(earlier, lambda tx, run: postpone(tx, run, until, str(away), since=run.parked_since or timezone.now()))


def next_try(run: Run, away: ProviderUnavailable, now: datetime) -> datetime:
    """When ``run`` and those that wait for the same model try again: at the time that is set, where one is."""
    others = Run.objects.parked(away.model)
    asked_for = now + timedelta(seconds=min(away.retry_after or 0, GIVEN_UP_AFTER.total_seconds()))
    set_before: datetime | None = others.filter(not_before__gt=now).aggregate(Max("not_before"))["not_before__max"]
    if set_before:
        return max(set_before, asked_for)
    first: datetime = others.aggregate(Min("parked_since"))["parked_since__min"] or now
    pause = min(max(now - min(first, run.parked_since or now), SHORTEST), LONGEST)
    return max(now + pause * random.uniform(0.9, 1.1), asked_for)  # noqa: S311  # spreads studios, guards nothing


def models_needed(run_id: int) -> set[str]:
    """The models that the run's article cannot do without. It can do without a picture, so nobody waits for that one's."""
    run = Run.objects.select_related("article").filter(pk=run_id).first()
    if run is None:  # deleted since its turn came
        return set()
    spared = {"image"} if run.article.seo_optimize else {"image", "seo"}
    return {model for stage, model in models_for(run).by_stage.items() if stage not in spared}


def wait_for_provider(run_id: int, models: Collection[str]) -> bool:
    """Park a run that has not asked yet, where others asked one of ``models`` in vain and wait for it. Must it wait now?"""
    others = Run.objects.awaiting(models).exclude(pk=run_id).order_by()
    asked = others.filter(parkings__gt=0).values("awaits").annotate(runs=Count("pk"))
    away = others.filter(awaits__in=asked.filter(runs__gte=ENOUGH).values("awaits")).exclude(not_before=None)
    latest = away.order_by("-not_before").first()
    if latest is None or latest.not_before is None:
        return False
    until, reason, model, now = latest.not_before, latest.reason, latest.awaits, timezone.now()
    unasked = Run.objects.filter(pk=run_id, status=Status.PENDING, parked_since=None)
    update_each(unasked, lambda tx, run: postpone(tx, run, until, reason, since=now, awaits=model))
    return not Run.objects.claimable(timezone.now()).filter(pk=run_id).exists()


def update_each(runs: QuerySet[Run], do: Callable[[ArticleTransaction, Run], object]) -> None:
    """``do`` it to each of ``runs`` that still is one once its article's row is held, each in a transaction of its own."""
    for run_id, article_id in list(runs.values_list("pk", "article_id")):
        try:
            with article_transaction(article_id) as tx:
                if run := runs.filter(pk=run_id).first():
                    do(tx, run)
        except ArticleGone:
            log.info("run %s was deleted while it waited", run_id)


def postpone(
    tx: ArticleTransaction, run: Run, until: datetime, reason: str, *, since: datetime, **changes: object
) -> bool:
    """Have ``run`` wait, until it is given up at the longest; failed instead, where that time has come."""
    now, end = timezone.now(), since + GIVEN_UP_AFTER
    if now >= end:
        reason = f"{reason} The studio has tried for {GIVEN_UP_AFTER // timedelta(hours=1)} hours."
        ended = {"token": None, "lease_expires_at": None, "finished_at": now, **NOT_PARKED}
        return tx.change_status(run, Status.FAILED, reason, reason=reason, **ended)
    next_look = min(until, end)
    message = f"Waiting for the model, next try {timezone.localtime(next_look):%H:%M %Z}"
    parked = {"not_before": next_look, "parked_since": since, **changes}
    return tx.change_status(run, Status.PENDING, message, reason=reason, **parked)


def mark_available(run: Run, stage: Stage) -> None:
    """Note that a run that was parked got an answer. Those that wait for the same model go on once that is committed.

    Where ``stage`` has another model than the one it waits for, nothing is known of that.
    """
    model, models = run.awaits, models_for(run).by_stage
    if model in models.values() and models[stage] != model:
        return
    for field, value in {**NOT_PARKED, "reason": ""}.items():
        setattr(run, field, value)
    run.save(update_fields=[*NOT_PARKED, "reason"])
    if model:
        transaction.on_commit(lambda: resume_runs(model), robust=True)


def resume_runs(model: str) -> None:
    """Let the runs that wait for ``model`` go on: in one statement, as whoever got the answer is at work."""
    Run.objects.parked(model).update(awaits="", not_before=None)


def enqueue_resumed() -> int:
    """Tell of the runs that were let go, and call workers to them; how many there were."""
    released = Run.objects.released()
    count = released.count()
    update_each(released, enqueue_again)
    return count


def enqueue_again(tx: ArticleTransaction, run: Run) -> None:
    if tx.change_status(run, Status.PENDING, WAITING, reason="", enqueued_at=timezone.now()):
        enqueue(run)
