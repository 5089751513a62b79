"""The RQ job: executes the next run, and additional runs in the same process while it has capacity left."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple

import uvloop
from asgiref.sync import sync_to_async
from django.conf import settings
from structlog.contextvars import bind_contextvars, bound_contextvars, unbind_contextvars

from agents import tracing
from agents.worker.dependencies import writer
from agents.worker.run_article import Crew, StopSignal, execute_run
from articles.exceptions import UNEXPECTED_ERROR
from articles.runs.agent_settings import agents_for_run
from articles.runs.db_retry import DB_UNAVAILABLE
from articles.runs.lease import Claim, claim_run, worker_id
from articles.runs.outages import models_needed, wait_for_provider
from articles.runs.queue import remove_job
from articles.runs.recovery import fail_unclaimed
from articles.runs.scheduling import next_run, runs_per_user
from contentstudio.runtime.heartbeats import INTERVAL, Heartbeat

log = logging.getLogger(__name__)

capacity: ContextVar[int] = ContextVar("capacity", default=1)
"""How many articles this process may write at once; set by its worker."""

heartbeat: ContextVar[Heartbeat | None] = ContextVar("heartbeat", default=None)
"""The heartbeat of this process; set by its worker."""

POLL_SECONDS = 1.0
"""How often a process with spare capacity checks for a waiting run. An idle worker claims it at once."""

POLL_SECONDS_AFTER_CLAIM = 0.1
"""The same after a claim: runs often arrive together, and each process should get some of them."""

MAX_RUNS_PER_PROCESS = 20
"""Then the process ends, which frees what libraries keep of each run."""


class ClaimedRun(NamedTuple):
    """A claimed run with the settings of its agents."""

    claim: Claim
    crew: Crew


def run_next(run_id: int) -> None:
    """The job: execute the next run by fair scheduling, which need not be ``run_id``."""
    try:
        if not uvloop.run(WorkerSession(capacity.get()).serve(partial(claim_next, run_id))):
            log.info("no run can be claimed now (the job was for run %s)", run_id)
    finally:
        tracing.flush()  # the process ends after the job, without its exit handlers


def run_now(run_id: int, *, owner_limit: float = math.inf) -> bool:
    """Execute a pending run in this process. Failures are recorded on the run.

    False if it cannot be claimed; see ``claim_run``.
    """
    bind_contextvars(run_id=run_id)
    return uvloop.run(WorkerSession().serve(partial(claim_pending, run_id, owner_limit)))


class WorkerSession:
    """The runs of one process, up to ``capacity`` at once. They share the memory of the libraries.

    The last attempt of a run has the process to itself: earlier crashes may have been caused by a run in the same process.
    """

    def __init__(self, capacity: int = 1) -> None:
        self._capacity = capacity
        self._claimed = 0
        self._pause = POLL_SECONDS_AFTER_CLAIM
        self._slots = asyncio.Semaphore(settings.LLM_MAX_CONCURRENCY)
        self._tasks: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []

    async def serve(self, claim_first: Callable[[], ClaimedRun | None]) -> bool:
        """Execute the run that ``claim_first`` claims, and additional ones. False if it claims none.

        Unexpected errors are raised after all runs have ended, and are recorded on their runs.
        """
        async with kept_beating(heartbeat.get()):
            return await self._serve(claim_first)

    async def _serve(self, claim_first: Callable[[], ClaimedRun | None]) -> bool:
        stop = StopSignal()
        first = await sync_to_async(claim_first)()
        if first is None:
            return False
        if first.claim.attempt >= settings.MAX_ATTEMPTS:
            self._capacity = 1
        self._begin(first, stop)
        while self._tasks:
            await self._wait()
            if self._tasks and self._has_capacity and not stop.received:
                await self._claim_another(stop)
        if self._errors:
            raise self._errors[0] if len(self._errors) == 1 else ExceptionGroup("several runs", self._errors)
        return True

    async def _claim_another(self, stop: StopSignal) -> None:
        """Claim an additional run, if one waits. An error in this must not end the runs in progress."""
        try:
            additional = await sync_to_async(claim_additional_run)()
        except Exception as error:
            self._errors.append(error)
            return
        self._pause = POLL_SECONDS_AFTER_CLAIM if additional else POLL_SECONDS
        if additional:
            self._begin(additional, stop)

    def _begin(self, claimed: ClaimedRun, stop: StopSignal) -> None:
        self._claimed += 1
        self._tasks.add(asyncio.create_task(execute_run(*claimed, stop, self._slots)))

    async def _wait(self) -> None:
        """Until a run has ended, or it is time to check for another."""
        seconds = self._pause if self._has_capacity else None
        ended, self._tasks = await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            if isinstance(error := task.exception(), Exception):
                self._errors.append(error)

    @property
    def _has_capacity(self) -> bool:
        return len(self._tasks) < self._capacity and self._claimed < MAX_RUNS_PER_PROCESS and not self._errors


@asynccontextmanager
async def kept_beating(heartbeat: Heartbeat | None) -> AsyncIterator[None]:
    """Send heartbeats from the event loop inside the block: they stop if it hangs, and then no lease is renewed either."""

    async def beat() -> None:
        while heartbeat:
            heartbeat.beat()
            await asyncio.sleep(INTERVAL)

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def claim_next(job_run_id: int | None = None, *, shared_process: bool = False) -> ClaimedRun | None:
    """Claim the next run by fair scheduling. ``job_run_id`` is the run of the job. None if no run can be claimed."""
    exclude: set[int] = set()
    while (run_id := next_run(exclude, shared_process=shared_process)) is not None:
        if run_id != job_run_id:
            unbind_contextvars("request_id")  # the log lines that follow belong to another request
        if claimed := claim_or_fail(run_id):
            return claimed
        exclude.add(run_id)
    return None


def claim_additional_run() -> ClaimedRun | None:
    """Claim a run to execute next to others. None if none waits, or the database is unavailable."""
    try:
        claimed = claim_next(shared_process=True)
    except DB_UNAVAILABLE as error:
        log.warning("waiting runs cannot be read, the database is unavailable: %s", error)
        return None
    if claimed is not None:
        remove_job(claimed.claim.run_id)
    return claimed


def claim_or_fail(run_id: int) -> ClaimedRun | None:
    """Claim a run. None if it has to wait, was claimed by another worker, or causes an error.

    A run that causes an error fails: it would be the next one again and again, and block all others.
    """
    with bound_contextvars(run_id=run_id):
        try:
            return None if wait_for_provider(run_id, models_needed(run_id)) else claim_pending(run_id, runs_per_user())
        except DB_UNAVAILABLE:
            raise
        except Exception:
            if not fail_unclaimed(run_id, UNEXPECTED_ERROR):
                raise
            log.exception("run %s failed before it was claimed", run_id)
            return None


def claim_pending(run_id: int, owner_limit: float) -> ClaimedRun | None:
    """Claim a pending run; see ``claim_run``."""
    crew = agents_for_run(run_id)
    claim = claim_run(run_id, worker=worker_id(), model=writer(crew), owner_limit=owner_limit)
    if claim is None:
        log.info("run %s is no longer pending, or its owner has too many runs in progress", run_id)
        return None
    return ClaimedRun(claim, crew)
