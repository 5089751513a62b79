"""The job: the article whose turn it is, and beside it, where the process has capacity left, others that wait."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple

import uvloop
from asgiref.sync import sync_to_async
from django.conf import settings
from structlog.contextvars import bind_contextvars, bound_contextvars, unbind_contextvars

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

log = logging.getLogger(__name__)

capacity: ContextVar[int] = ContextVar("capacity", default=1)
"""How many articles this process may write at once, as its worker says."""

POLL_SECONDS = 1.0
"""How often a process with a free place looks whether an article waits for one. A worker that is free takes it up at once."""

POLL_SECONDS_AFTER_CLAIM = 0.1
"""Seconds to that look after it has taken one up: they mostly come together, and each process is to have its share."""

MAX_RUNS_PER_PROCESS = 20
"""Articles a process writes until it ends: what libraries keep of each ends with it."""


class ClaimedRun(NamedTuple):
    """A run that is ours, and who writes it."""

    claim: Claim
    crew: Crew


def run_next(run_id: int) -> None:
    """A job: make the article whose turn it is. The run that called for a worker may have to wait for another user's."""
    if not uvloop.run(WorkerSession(capacity.get()).serve(partial(claim_next, run_id))):
        log.info("nothing can be taken up now, though run %s called for a worker", run_id)


def run_now(run_id: int, *, owner_limit: float = math.inf) -> bool:
    """Make the article of a pending run; failures are recorded on the run.

    False where somebody else has taken it, or ``owner_limit`` runs of its owner are in work already.
    """
    bind_contextvars(run_id=run_id)
    return uvloop.run(WorkerSession().serve(partial(claim_pending, run_id, owner_limit)))


class WorkerSession:
    """What one process works on: an article, and up to ``capacity`` at once. They share what the libraries take in memory.

    Its last attempt a run has by itself: what the others died of may have been its company.
    """

    def __init__(self, capacity: int = 1) -> None:
        self._places = capacity
        self._taken = 0
        self._pause = POLL_SECONDS_AFTER_CLAIM
        self._slots = asyncio.Semaphore(settings.LLM_MAX_CONCURRENCY)
        self._at_work: set[asyncio.Task[None]] = set()
        self._errors: list[Exception] = []

    async def serve(self, claim_first: Callable[[], ClaimedRun | None]) -> bool:
        """Make what ``claim_first`` takes up, and others beside it. False where it takes up nothing.

        Raises what nobody expected once all have ended; what befell a run is recorded by then.
        """
        stop = StopSignal()
        first = await sync_to_async(claim_first)()
        if first is None:
            return False
        if first.claim.attempt >= settings.MAX_ATTEMPTS:
            self._places = 1
        self._begin(first, stop)
        while self._at_work:
            await self._wait()
            if self._at_work and self._has_place and not stop.received:
                await self._look(stop)
        if self._errors:
            raise self._errors[0] if len(self._errors) == 1 else ExceptionGroup("several runs", self._errors)
        return True

    async def _look(self, stop: StopSignal) -> None:
        """Take up another article, where one waits. An error in this is not to end those that are at work."""
        try:
            additional = await sync_to_async(claim_additional_run)()
        except Exception as error:
            self._errors.append(error)
            return
        self._pause = POLL_SECONDS_AFTER_CLAIM if additional else POLL_SECONDS
        if additional:
            self._begin(additional, stop)

    def _begin(self, taken: ClaimedRun, stop: StopSignal) -> None:
        self._taken += 1
        self._at_work.add(asyncio.create_task(execute_run(*taken, stop, self._slots)))

    async def _wait(self) -> None:
        """Until an article has ended, or it is time to look for another."""
        seconds = self._pause if self._has_place else None
        ended, self._at_work = await asyncio.wait(self._at_work, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            if isinstance(error := task.exception(), Exception):
                self._errors.append(error)

    @property
    def _has_place(self) -> bool:
        return len(self._at_work) < self._places and self._taken < MAX_RUNS_PER_PROCESS and not self._errors


def claim_next(called_for: int | None = None, *, shared_process: bool = False) -> ClaimedRun | None:
    """Take up the run whose turn it is, which need not be the one that called for a worker. None where none can be taken."""
    exclude: set[int] = set()
    while (turn := next_run(exclude, shared_process=shared_process)) is not None:
        if turn != called_for:
            unbind_contextvars("request_id")  # what is logged from here on is another request's
        if taken := claim_or_fail(turn):
            return taken
        exclude.add(turn)
    return None


def claim_additional_run() -> ClaimedRun | None:
    """Take up a run beside others. None where none waits, or the store is away."""
    try:
        taken = claim_next(shared_process=True)
    except DB_UNAVAILABLE as error:
        log.warning("whether an article waits cannot be looked up: %s", error)
        return None
    if taken is not None:
        remove_job(taken.claim.run_id)
    return taken


def claim_or_fail(run_id: int) -> ClaimedRun | None:
    """Take up the run whose turn it is. None where it has to wait, somebody else has it, or it cannot be begun.

    One that cannot be begun fails: it would have its turn again and again, and all behind it would wait for ever.
    """
    with bound_contextvars(run_id=run_id):
        try:
            return None if wait_for_provider(run_id, models_needed(run_id)) else claim_pending(run_id, runs_per_user())
        except DB_UNAVAILABLE:
            raise
        except Exception:
            if not fail_unclaimed(run_id, UNEXPECTED_ERROR):
                raise
            log.exception("run %s failed before it was begun", run_id)
            return None


def claim_pending(run_id: int, owner_limit: float) -> ClaimedRun | None:
    """Take up a pending run. None where somebody else has it, or ``owner_limit`` runs of its owner are in work already."""
    crew = agents_for_run(run_id)
    claim = claim_run(run_id, worker=worker_id(), model=writer(crew), owner_limit=owner_limit)
    if claim is None:
        log.info("run %s is not pending any more, or its owner has enough in work", run_id)
        return None
    return ClaimedRun(claim, crew)
