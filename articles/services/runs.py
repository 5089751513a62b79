"""Starts, retries and cancels runs, and keeps a finished text instead of an unfinished new one."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from articles.costs.limits import refuse_used_up_month
from articles.evidence.results import run_of_the_text
from articles.exceptions import InvalidState
from articles.models import Article, Event, Run, Status
from articles.models.run import NOT_PARKED
from articles.models.status import RESUMABLE
from articles.quotas.totals import refuse_more_articles
from articles.runs.clock import database_now
from articles.runs.event_log import article_transaction, refresh
from articles.runs.queue import WAITING, enqueue

LOCAL_RUN_HEAD_START = timedelta(minutes=1)
"""For so long workers do not claim a run that its caller executes itself."""


def start_run(*, article: Article, by: User | None, queue: bool = True) -> Run:
    """Start a new run from the beginning; with ``queue=False`` the caller executes it in its own process.

    A finished text stays until the new one is complete. Raises InvalidState while another run is active, or if the month's
    spending limit is used up, and QuotaReached if too many of the owner's articles are waiting or being written.
    """
    with article_transaction(article.pk) as tx:
        if tx.article.runs.active().exists():
            raise InvalidState("This article is being written. Cancel it first, or wait until it is done.")
        refuse_used_up_month(tx.article.owner, by=by)
        if queue:  # one that its caller executes takes no place from others
            refuse_more_articles(tx.article.owner)
        first = not tx.article.runs.exists()
        reserved = None if queue else database_now() + LOCAL_RUN_HEAD_START
        run = Run.objects.create(article=tx.article, requested_by_id=by.pk if by else None, not_before=reserved)
        old = None if first else tx.article.status
        tx.set(status=Status.PENDING, message=WAITING, current_agent="")
        tx.log_event(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=Status.PENDING, message=WAITING)
        if queue:
            enqueue(run)
    refresh(article)
    return run


def retry_run(*, article: Article, by: User | None) -> Run:
    """Continue the latest run at its first unfinished step. One that waits for the AI provider tries again now.

    Raises InvalidState if the article is neither failed, paused, cancelled nor waiting for the provider, or if the month's
    spending limit is used up, and QuotaReached as ``start_run`` does.
    """
    with article_transaction(article.pk) as tx:
        run = tx.article.latest_run()
        if run is None or not (tx.article.status in RESUMABLE or run.is_parked):
            raise InvalidState("Only a failed, paused or cancelled article can be continued.")
        refuse_used_up_month(tx.article.owner, by=by)
        if not run.is_parked:  # it is among them already
            refuse_more_articles(tx.article.owner)
        now = database_now()
        fresh = (
            {"not_before": now}
            if run.is_parked
            else {"reason": "", "failure_code": "", "finished_at": None, **NOT_PARKED}
        )
        again = {"requested_by": by, "attempts": 0, "enqueued_at": now, "token": None, **fresh}
        tx.change_status(run, Status.PENDING, WAITING, **again)
        enqueue(run)
    refresh(article)
    return run


def cancel_run(*, article: Article, by: User | None) -> None:
    """Cancel the active run. Its finished steps are kept, and so is the text of an earlier run.

    Raises InvalidState if no run is active.
    """
    with article_transaction(article.pk) as tx:
        run = tx.article.runs.active().first()
        if run is None:
            raise InvalidState("This article is not being written, so there is nothing to cancel.")
        message = f"Cancelled by {by.get_username()}" if by else "Cancelled"
        if tx.article.has_text:
            message += ". The finished text is unchanged"
        tx.change_status(run, Status.CANCELLED, message, finished_at=timezone.now(), lease_expires_at=None)
    refresh(article)


def keep_text(*, article: Article, by: User | None) -> None:
    """Set an article whose latest run failed, was paused or cancelled back to completed, with its earlier text.

    The run keeps its status and is not continued any more. Raises InvalidState if the article is in another status, or has
    no finished text.
    """
    with article_transaction(article.pk) as tx:
        old = tx.article.status
        unfinished = Article.objects.filter(pk=article.pk, status__in=RESUMABLE).exclude(content="")
        if not unfinished.update(status=Status.COMPLETED):
            raise InvalidState("Only a failed, paused or cancelled article that has a finished text can keep it.")
        message = f"{by.get_username() if by else 'The studio'} kept the finished text"
        tx.set(status=Status.COMPLETED, message=message, current_agent="", progress=100)
        run = run_of_the_text(tx.article)
        tx.log_event(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=Status.COMPLETED, message=message)
    refresh(article)
