"""The RQ queue. A job only wakes a worker; the state of a run is in the database, so a lost job costs time only."""

from __future__ import annotations

import logging
from uuid import uuid4

import django_rq
from django.db import transaction
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from structlog.contextvars import get_contextvars

from agents.tracing import traceparent
from articles.models import Run
from articles.runs.traces import remember_trace

log = logging.getLogger(__name__)


JOB = "agents.worker.jobs.run_next"
WAITING = "Waiting for a worker"


def enqueue(run: Run) -> None:
    """Submit a job for the run after the commit. If that fails, the sweeper submits it."""
    run_id, trace = run.pk, traceparent()
    asked_by = {name: value for name, value in get_contextvars().items() if name == "request_id"}

    def submit() -> None:
        try:
            if trace:
                remember_trace(run_id, trace)
            job_id = f"run-{run_id}-{uuid4().hex}"  # names the run, so that it need not be fetched
            kept = {"job_id": job_id, "meta": asked_by, "result_ttl": 600, "failure_ttl": 86400}
            django_rq.get_queue("articles").enqueue(JOB, run_id, **kept)
        except (RedisError, OSError) as error:
            log.warning("run %s: the queue cannot be reached, the sweeper will submit it: %s", run_id, error)

    transaction.on_commit(submit)


def queued_run_ids() -> set[int]:
    """The runs that have a job in the queue. Raises RedisError."""
    return set(filter(None, map(run_id_of, django_rq.get_queue("articles").job_ids)))


def remove_job(run_id: int) -> None:
    """Remove the run's job from the queue, if one is there: the run was claimed without it."""
    try:
        queue = django_rq.get_queue("articles")
        for job_id in queue.job_ids:
            if run_id_of(job_id) == run_id and queue.remove(job_id):  # else a worker has already taken it
                Job.fetch(job_id, queue.connection).delete(remove_from_queue=False)
    except (RedisError, OSError, NoSuchJobError) as error:
        log.warning("run %s: its job stays in the queue: %s", run_id, error)


def run_id_of(job_id: str) -> int | None:
    """The run a job is for; None if it is for something else."""
    kind, _, rest = job_id.partition("-")
    return int(rest.partition("-")[0]) if kind == "run" else None
