"""Runs: started, tried again, cancelled, and handed to a worker."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import uuid4

import django_rq
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from structlog.contextvars import get_contextvars

from articles.costs.limits import refuse_used_up_month
from articles.exceptions import NotPossibleNow
from articles.models import Article, Event, Run, Status
from articles.models.run import NOT_PARKED
from articles.models.status import RESUMABLE
from articles.runs.event_log import reread, writing

log = logging.getLogger(__name__)

JOB = "agents.worker.jobs.run_next"
WAITING = "Waiting for a worker"

RESERVED = timedelta(minutes=1)
"""So long workers leave a run to whoever performs it in the own process."""


def start_run(*, article: Article, by: User | None, queue: bool = True) -> Run:
    """A new run of the article, from the beginning. Raises NotPossibleNow while another is at work, and where the
    month's ceiling of costs is used up.

    Whoever performs it in the own process says ``queue=False``, so that no worker is called to it.
    """
    with writing(article.pk) as pen:
        if pen.article.runs.active().exists():
            raise NotPossibleNow("This article is being written. Cancel that first, or wait until it is done.")
        refuse_used_up_month(pen.article.owner)
        first = not pen.article.runs.exists()
        reserved = None if queue else timezone.now() + RESERVED
        run = Run.objects.create(article=pen.article, requested_by_id=by.pk if by else None, not_before=reserved)
        old = None if first else pen.article.status
        pen.set(status=Status.PENDING, message=WAITING, current_agent="")
        pen.tell(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=Status.PENDING, message=WAITING)
        if queue:
            enqueue(run)
    reread(article)
    return run


def retry_run(*, article: Article, by: User | None) -> Run:
    """Let the latest run go on from its first step without an output.

    One that waits for its model asks it now. Raises NotPossibleNow unless it failed, was paused, was cancelled or waits so,
    and where the month's ceiling of costs is used up.
    """
    with writing(article.pk) as pen:
        run = pen.article.latest_run()
        if run is None or not (run.status in RESUMABLE or run.is_parked):
            raise NotPossibleNow("Only an article that failed, was paused or was cancelled can be tried again.")
        refuse_used_up_month(pen.article.owner)
        now = timezone.now()
        fresh = {"not_before": now} if run.is_parked else {"reason": "", "finished_at": None, **NOT_PARKED}
        again = {"requested_by": by, "attempts": 0, "enqueued_at": now, "token": None, **fresh}
        pen.change_status(run, Status.PENDING, WAITING, **again)
        enqueue(run)
    reread(article)
    return run


def enqueue(run: Run) -> None:
    """Hand the run to a worker once it is committed. A lost job costs time only: the sweeper finds the run."""
    run_id = run.pk
    asked_by = {name: value for name, value in get_contextvars().items() if name == "request_id"}

    def submit() -> None:
        try:
            job_id = f"run-{run_id}-{uuid4().hex}"  # tells which run it is for without being read
            kept = {"job_id": job_id, "meta": asked_by, "result_ttl": 600, "failure_ttl": 86400}
            django_rq.get_queue("articles").enqueue(JOB, run_id, **kept)
        except (RedisError, OSError) as error:
            log.warning("run %s: the queue cannot be reached, the sweeper will submit it: %s", run_id, error)

    transaction.on_commit(submit)


def runs_in_queue() -> set[int]:
    """The runs a job waits for. Raises RedisError where the queue cannot be reached."""
    return set(filter(None, map(run_of, django_rq.get_queue("articles").job_ids)))


def take_back(run_id: int) -> None:
    """Take the run's job out of the queue, where one waits: somebody is at the run, and a worker would find nothing to do."""
    try:
        queue = django_rq.get_queue("articles")
        for job_id in queue.job_ids:
            if run_of(job_id) == run_id and queue.remove(job_id):  # else a worker has it by now
                Job.fetch(job_id, queue.connection).delete(remove_from_queue=False)
    except (RedisError, OSError, NoSuchJobError) as error:
        log.warning("run %s: its job stays in the queue: %s", run_id, error)


def run_of(job_id: str) -> int | None:
    """The run a job of the queue is for; None of a job that is for something else."""
    kind, _, rest = job_id.partition("-")
    return int(rest.partition("-")[0]) if kind == "run" else None


def fail_unclaimed(run_id: int, reason: str) -> bool:
    """Fail a run that could not even be claimed. False where it is not pending any more."""
    article_id = Run.objects.filter(pk=run_id, status=Status.PENDING).values_list("article_id", flat=True).first()
    if article_id is None:
        return False
    with writing(article_id) as pen:
        run = Run.objects.get(pk=run_id)
        if run.status != Status.PENDING:
            return False
        ended = {"finished_at": timezone.now(), **NOT_PARKED}
        return pen.change_status(run, Status.FAILED, reason, reason=reason, **ended)


def cancel_run(*, article: Article, by: User | None) -> None:
    """Stop the run at work; what is done stays. Raises NotPossibleNow where none is."""
    with writing(article.pk) as pen:
        run = pen.article.runs.active().first()
        if run is None:
            raise NotPossibleNow("This article is not being written, so there is nothing to cancel.")
        name = f" by {by.get_username()}" if by else ""
        pen.change_status(run, Status.CANCELLED, f"Cancelled{name}", finished_at=timezone.now(), lease_expires_at=None)
    reread(article)
