"""Runs whose model provider is unavailable: parked without a worker and tried again automatically.

One run tries and the others of the same model wait for the result, so that a hundred of them do not ask at once. When it gets
an answer, all are resumed. The run with the fewest tries goes first: a run that fails because of its own request holds the
others up only once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
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
from articles.runs.clock import database_now
from articles.runs.db_retry import retry_on_outage
from articles.runs.event_log import ArticleTransaction, article_transaction
from articles.runs.lease import Claim, run_transaction
from articles.runs.queue import WAITING, enqueue

log = logging.getLogger(__name__)

MIN_PAUSE, MAX_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
"""Between two tries: as long as the provider has been unavailable, so about 1, 2, 4, 8, 16, 30, 30 … minutes."""

GIVE_UP_AFTER = timedelta(hours=24)

MIN_TRIED_RUNS = 2
"""Failed runs before others wait without asking: a single one may have failed because of its own request."""

OPTIONAL_STAGES: set[Stage] = {"image"}
"""An article is completed without an image, so no run waits for the image model's prompt writer."""


@dataclass(frozen=True)
class Outage:
    """Why runs wait for a model, stored with each of them."""

    model: str
    reason: str
    code: str


def park_run(claim: Claim, error: ProviderUnavailable) -> None:
    """Release a run whose provider did not answer, until its model is tried again. Completed steps are kept.

    Other runs that wait for the same model are postponed to the same time, each in a transaction of its own. Raises LeaseLost.
    """
    outage = Outage(error.model, str(error), error.code)
    until = park(claim, outage, retry_after=error.retry_after)
    postpone_others(outage, until)


@retry_on_outage
def park(claim: Claim, outage: Outage, *, retry_after: float | None) -> datetime:
    """Returns when the model is tried again. Raises LeaseLost."""
    now = database_now()
    with run_transaction(claim) as (tx, run):
        until = next_try(run, outage.model, now, retry_after)
        released = {"failed_tries": run.failed_tries + 1, "token": None, "lease_expires_at": None, "attempts": 0}
        postpone(tx, run, until, outage, now, awaited_model=outage.model, **released)
    return until


@retry_on_outage
def postpone_others(outage: Outage, until: datetime) -> None:
    """A second try after a lost reply finds nothing left to do."""
    earlier, now = Run.objects.parked(outage.model).filter(not_before__lt=until), database_now()
    update_each(earlier, lambda tx, run: postpone(tx, run, until, outage, now))


def next_try(run: Run, model: str, now: datetime, retry_after: float | None) -> datetime:
    """When the model is tried again, unless that is set already. ``retry_after`` is in seconds."""
    others = Run.objects.parked(model)
    requested = now + timedelta(seconds=min(retry_after or 0, GIVE_UP_AFTER.total_seconds()))
    planned: datetime | None = others.filter(not_before__gt=now).aggregate(Max("not_before"))["not_before__max"]
    if planned:
        return max(planned, requested)
    first: datetime = others.aggregate(Min("parked_since"))["parked_since__min"] or now
    pause = min(max(now - min(first, run.parked_since or now), MIN_PAUSE), MAX_PAUSE)
    jitter = random.uniform(0.9, 1.1)  # noqa: S311  # spreads the tries of several studios, protects nothing
    return max(now + pause * jitter, requested)


def models_needed(run_id: int) -> set[str]:
    """The models that the run's article cannot be completed without."""
    run = Run.objects.select_related("article").filter(pk=run_id).first()
    if run is None:  # deleted in the meantime
        return set()
    optional = OPTIONAL_STAGES if run.article.seo_optimize else OPTIONAL_STAGES | {"seo"}
    return {model for stage, model in models_for(run).by_stage.items() if stage not in optional}


def wait_for_provider(run_id: int, models: Collection[str]) -> bool:
    """Whether the run has to wait, because other runs wait for one of ``models``. It is parked with them then."""
    others = Run.objects.awaiting(models).exclude(pk=run_id).order_by()
    tried = others.filter(failed_tries__gt=0).values("awaited_model").annotate(runs=Count("pk"))
    unavailable = others.filter(awaited_model__in=tried.filter(runs__gte=MIN_TRIED_RUNS).values("awaited_model"))
    latest = unavailable.exclude(not_before=None).order_by("-not_before").first()
    if latest is None or latest.not_before is None:
        return False
    until, now = latest.not_before, database_now()
    outage = Outage(latest.awaited_model, latest.reason, latest.failure_code)
    untried = Run.objects.filter(pk=run_id, status=Status.PENDING, parked_since=None)
    update_each(untried, lambda tx, run: postpone(tx, run, until, outage, now, awaited_model=outage.model))
    return not Run.objects.claimable().filter(pk=run_id).exists()


def update_each(runs: QuerySet[Run], update: Callable[[ArticleTransaction, Run], object]) -> None:
    """Call ``update`` for each run, in a transaction of its own, if it is still among ``runs`` once its article is locked."""
    for run_id, article_id in list(runs.values_list("pk", "article_id")):
        try:
            with article_transaction(article_id) as tx:
                if run := runs.filter(pk=run_id).first():
                    update(tx, run)
        except ArticleGone:
            log.info("run %s was deleted while it waited", run_id)


def postpone(
    tx: ArticleTransaction, run: Run, until: datetime, outage: Outage, now: datetime, **changes: object
) -> bool:
    """Let ``run`` wait until then, or fail it if it has waited for ``GIVE_UP_AFTER``. ``now`` is the time of the database."""
    since = run.parked_since or now
    deadline = since + GIVE_UP_AFTER
    if now >= deadline:
        reason = f"{outage.reason} The studio has tried for {GIVE_UP_AFTER // timedelta(hours=1)} hours."
        ended = {"token": None, "lease_expires_at": None, "finished_at": now, **NOT_PARKED}
        return tx.change_status(run, Status.FAILED, reason, reason=reason, failure_code=outage.code, **ended)
    not_before = min(until, deadline)
    message = f"Waiting for the AI provider, next try {timezone.localtime(not_before):%H:%M %Z}"
    waiting = {"reason": outage.reason, "failure_code": outage.code, "not_before": not_before, "parked_since": since}
    return tx.change_status(run, Status.PENDING, message, **waiting, **changes)


def mark_available(run: Run, stage: Stage) -> None:
    """Record that a run that was parked got an answer for ``stage``. After the commit, runs that wait for its model resume.

    Does nothing if ``stage`` uses another model than the one the run waited for.
    """
    model, models = run.awaited_model, models_for(run).by_stage
    if model in models.values() and models[stage] != model:
        return
    fresh = {**NOT_PARKED, "reason": "", "failure_code": ""}
    for field, value in fresh.items():
        setattr(run, field, value)
    run.save(update_fields=fresh)
    if model:
        transaction.on_commit(lambda: resume_runs(model), robust=True)


def resume_runs(model: str) -> None:
    """Make the runs that wait for ``model`` claimable, in one statement: the caller is busy writing an article.

    ``enqueue_resumed`` does the rest.
    """
    Run.objects.parked(model).update(awaited_model="", not_before=None)


def enqueue_resumed() -> int:
    """Log that the runs are resumed and submit their jobs. Returns how many there were."""
    resumed = Run.objects.resumed()
    count = resumed.count()
    update_each(resumed, enqueue_again)
    return count


def enqueue_again(tx: ArticleTransaction, run: Run) -> None:
    fresh = {"reason": "", "failure_code": "", "enqueued_at": database_now()}
    if tx.change_status(run, Status.PENDING, WAITING, **fresh):
        enqueue(run)
