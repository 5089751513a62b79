"""Runs: started, tried again, cancelled, and handed to a worker."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from articles.costs.limits import refuse_used_up_month
from articles.exceptions import InvalidState
from articles.models import Article, Event, Run, Status
from articles.models.run import NOT_PARKED
from articles.models.status import RESUMABLE
from articles.runs.event_log import article_transaction, refresh
from articles.runs.queue import WAITING, enqueue

LOCAL_RUN_HEAD_START = timedelta(minutes=1)
"""So long workers leave a run to whoever performs it in the own process."""


def start_run(*, article: Article, by: User | None, queue: bool = True) -> Run:
    """A new run of the article, from the beginning. Raises InvalidState while another is at work, and where the
    month's ceiling of costs is used up.

    Whoever performs it in the own process says ``queue=False``, so that no worker is called to it.
    """
    with article_transaction(article.pk) as tx:
        if tx.article.runs.active().exists():
            raise InvalidState("This article is being written. Cancel that first, or wait until it is done.")
        refuse_used_up_month(tx.article.owner, by=by)
        first = not tx.article.runs.exists()
        reserved = None if queue else timezone.now() + LOCAL_RUN_HEAD_START
        run = Run.objects.create(article=tx.article, requested_by_id=by.pk if by else None, not_before=reserved)
        old = None if first else tx.article.status
        tx.set(status=Status.PENDING, message=WAITING, current_agent="")
        tx.log_event(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=Status.PENDING, message=WAITING)
        if queue:
            enqueue(run)
    refresh(article)
    return run


def retry_run(*, article: Article, by: User | None) -> Run:
    """Let the latest run go on from its first step without an output.

    One that waits for its model asks it now. Raises InvalidState unless it failed, was paused, was cancelled or waits so,
    and where the month's ceiling of costs is used up.
    """
    with article_transaction(article.pk) as tx:
        run = tx.article.latest_run()
        if run is None or not (run.status in RESUMABLE or run.is_parked):
            raise InvalidState("Only an article that failed, was paused or was cancelled can be tried again.")
        refuse_used_up_month(tx.article.owner, by=by)
        now = timezone.now()
        fresh = {"not_before": now} if run.is_parked else {"reason": "", "finished_at": None, **NOT_PARKED}
        again = {"requested_by": by, "attempts": 0, "enqueued_at": now, "token": None, **fresh}
        tx.change_status(run, Status.PENDING, WAITING, **again)
        enqueue(run)
    refresh(article)
    return run


def cancel_run(*, article: Article, by: User | None) -> None:
    """Stop the run at work; what is done stays. Raises InvalidState where none is."""
    with article_transaction(article.pk) as tx:
        run = tx.article.runs.active().first()
        if run is None:
            raise InvalidState("This article is not being written, so there is nothing to cancel.")
        name = f" by {by.get_username()}" if by else ""
        tx.change_status(run, Status.CANCELLED, f"Cancelled{name}", finished_at=timezone.now(), lease_expires_at=None)
    refresh(article)
