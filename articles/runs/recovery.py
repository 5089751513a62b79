"""Recovery: requeues runs whose worker died or was stopped, and submits lost jobs again."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import timezone

from agents.exceptions import FailureCode
from articles.exceptions import ArticleGone
from articles.models import Run, Status
from articles.models.run import NOT_PARKED
from articles.runs.clock import database_now
from articles.runs.db_retry import retry_on_outage
from articles.runs.event_log import ArticleTransaction, article_transaction
from articles.runs.lease import Claim, is_lost, run_transaction
from articles.runs.outages import enqueue_resumed, update_each
from articles.runs.queue import enqueue, queued_run_ids
from articles.runs.scheduling import claimable_in_order

log = logging.getLogger(__name__)

OWNER_DEACTIVATED = "Cancelled: the owner's account was deactivated"


def sweep(*, by_lease: bool = True) -> int:
    """Requeue runs whose worker died, cancel those of deactivated users, enqueue resumed runs, and submit lost jobs again.

    Safe to run in several processes. Returns the number of runs that were changed. A run fails after MAX_ATTEMPTS claims: it
    may be what crashes its workers. Without ``by_lease``, expired leases are ignored: the database was unavailable, so that
    none could be renewed.
    """
    lost_now = [run for run in Run.objects.at_work() if is_lost(run, by_lease=by_lease)]
    swept = sum(requeue_lost(run, by_lease=by_lease) for run in lost_now)
    swept += cancel_runs_of_inactive_users()
    swept += enqueue_resumed()
    if waiting := list(Run.objects.waiting()):
        lost = set(claimable_in_order()) - queued_run_ids()
        swept += sum(resubmit(run) for run in waiting if run.pk in lost)
    return swept


def cancel_runs_of_inactive_users() -> int:
    """Cancel the runs of deactivated users, however they were deactivated. Returns how many there were."""
    runs = Run.objects.active().filter(article__owner__is_active=False)
    count = runs.count()
    ended = {"finished_at": timezone.now(), "lease_expires_at": None}
    update_each(runs, lambda tx, run: tx.change_status(run, Status.CANCELLED, OWNER_DEACTIVATED, **ended))
    return count


def requeue_lost(lost: Run, *, by_lease: bool) -> bool:
    try:
        return requeue_locked(lost, by_lease=by_lease)
    except ArticleGone:
        log.info("run %s was deleted, so it is not requeued", lost.pk, extra=of(lost))
        return False


def requeue_locked(lost: Run, *, by_lease: bool) -> bool:
    """Raises ArticleGone."""
    with article_transaction(lost.article_id) as tx:
        run = Run.objects.at_work().filter(pk=lost.pk, token=lost.token).first()
        if run is None or not is_lost(run, by_lease=by_lease):  # requeued by another sweeper, or its worker is back
            return False
        if run.attempts >= settings.MAX_ATTEMPTS:
            reason = f"The worker died {run.attempts} times on this article. See its log for the cause, then try again."
            log.warning("run %s failed: %s", run.pk, reason, extra=of(run))
            ended = {"failure_code": FailureCode.WORKER_DIED, "finished_at": timezone.now()}
            return tx.change_status(run, Status.FAILED, reason, reason=reason, **ended)
        log.warning("run %s: its worker %s was lost, another one will continue", run.pk, run.worker, extra=of(run))
        return requeue(tx, run, "The worker was lost. Another one will continue.")


def of(run: Run) -> dict[str, int]:
    """The fields that every log line of a run has."""
    return {"run_id": run.pk, "article_id": run.article_id}


def resubmit(run: Run) -> bool:
    """A second job of a run is harmless, because the run is claimed once. It costs the start of a process."""
    same = Run.objects.filter(pk=run.pk, status=Status.PENDING, enqueued_at=run.enqueued_at)
    renewed = same.update(enqueued_at=database_now())
    if renewed:
        enqueue(run)
    return bool(renewed)


@retry_on_outage
def hand_over(claim: Claim, message: str) -> None:
    """Requeue a run because its worker is being stopped. This does not count as an attempt.

    Raises LeaseLost.
    """
    with run_transaction(claim) as (tx, run):
        requeue(tx, run, message, attempts=run.attempts - 1)


def requeue(tx: ArticleTransaction, run: Run, message: str, **changes: object) -> bool:
    """Release a run in progress and enqueue it for another worker."""
    back = {"token": None, "lease_expires_at": None, "enqueued_at": database_now(), **changes}
    moved = tx.change_status(run, Status.PENDING, message, **back)
    enqueue(run)
    return moved


def fail_unclaimed(run_id: int, reason: str) -> bool:
    """Fail a run that could not be claimed because of an error. False if it is no longer pending."""
    article_id = Run.objects.filter(pk=run_id, status=Status.PENDING).values_list("article_id", flat=True).first()
    if article_id is None:
        return False
    with article_transaction(article_id) as tx:
        run = Run.objects.get(pk=run_id)
        if run.status != Status.PENDING:
            return False
        ended = {"failure_code": FailureCode.INTERNAL_ERROR, "finished_at": timezone.now(), **NOT_PARKED}
        return tx.change_status(run, Status.FAILED, reason, reason=reason, **ended)
