"""Executes a claimed run: writes the article while the lease is renewed, and records the outcome."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from structlog.contextvars import bind_contextvars

from agents.contract import AgentConfig, Manuscript, Stage
from agents.costs.budget import use_budget
from agents.exceptions import AgentError, ApprovalRequired, FailureCode, ProviderUnavailable, SpendingLimitReached
from agents.pipeline.recipe import produce
from agents.worker.dependencies import dependencies_from_settings
from agents.worker.traces import note_outcome, traced_run
from articles.costs.limits import budget_for
from articles.exceptions import UNEXPECTED_ERROR, LeaseLost, WorkerStopped
from articles.live.draft_stream import DraftStream
from articles.runs.db_retry import DB_UNAVAILABLE
from articles.runs.journal import RunJournal, await_approval, complete_run, fail_run, pause_run, read_brief
from articles.runs.lease import Claim, holds_lease, renew_lease
from articles.runs.outages import park_run
from articles.runs.recovery import hand_over

log = logging.getLogger(__name__)

Crew = Mapping[Stage, AgentConfig]
"""The agents' settings that differ from the defaults."""

LEASE_CHECK_SECONDS = 0.3
"""How often a worker checks that the run is still its own. A cancelled run stops this soon."""

STOPPED_MESSAGE = "The worker was stopped. Another one will continue."


class StopSignal:
    """Cancels the work of this process on SIGTERM. Create it in the main thread, inside the event loop."""

    def __init__(self) -> None:
        self.received = False
        self._works: set[asyncio.Task[Manuscript]] = set()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._receive)

    def _receive(self) -> None:
        if self.received:  # sent by the worker, and again by the pool when all processes are stopped
            return
        self.received = True
        for work in self._works:
            work.cancel()

    @contextmanager
    def cancels(self, work: asyncio.Task[Manuscript]) -> Iterator[None]:
        """Cancel ``work`` if the signal arrives inside the block or has arrived before."""
        self._works.add(work)
        try:
            if self.received:
                work.cancel()
            yield
        finally:
            self._works.discard(work)


async def execute_run(claim: Claim, crew: Crew, stop: StopSignal, slots: asyncio.Semaphore) -> None:
    """Write the article and record the outcome. ``slots`` limits the model calls in flight of all runs in this process.

    Raises unexpected errors only. The outcome is recorded in here, not after the event loop has ended: at its end
    the loop waits for threads that cannot be stopped, such as one that reads a long page, and no lease is renewed meanwhile.
    """
    bind_contextvars(run_id=claim.run_id, article_id=claim.article_id)
    async with traced_run(claim) as trace:
        work = asyncio.create_task(produce_manuscript(claim, crew, slots))
        lease = asyncio.create_task(keep_lease(claim, work))
        try:
            with stop.cancels(work):
                manuscript = await finished(work, lease, claim, stop)
            await sync_to_async(complete_run)(claim, manuscript, notice="\n".join(manuscript.notices))
        except Exception as error:
            note_outcome(trace, error)
            await sync_to_async(record_outcome)(claim, error)
        finally:
            lease.cancel()


async def finished(
    work: asyncio.Task[Manuscript], lease: asyncio.Task[None], claim: Claim, stop: StopSignal
) -> Manuscript:
    """The result of ``work``. Raises WorkerStopped or LeaseLost if it was cancelled for that."""
    try:
        return await work
    except asyncio.CancelledError as error:
        if stop.received:
            raise WorkerStopped(claim.run_id) from error
        if not lease.done():  # cancelled because the event loop is ending
            raise
        await lease  # raises the error that ended it, if one did
        raise LeaseLost(claim.run_id) from error


async def produce_manuscript(claim: Claim, crew: Crew, slots: asyncio.Semaphore) -> Manuscript:
    brief = await sync_to_async(read_brief)(claim)
    budget = await sync_to_async(budget_for)(claim)
    journal = RunJournal(claim, DraftStream(claim.article_id), always=[budget])
    async with dependencies_from_settings(crew, slots) as dependencies:
        with use_budget(budget):
            try:
                return await produce(brief, journal, dependencies)
            finally:
                await journal.drain()


async def keep_lease(claim: Claim, work: asyncio.Task[Manuscript]) -> None:
    """Renew the lease while the work is in progress. Once it is lost, cancel the work and with it the calls in flight.

    A database that is unavailable may be back before the lease expires, and the sweeper then leaves time to renew it.
    """
    checks_per_renewal = max(1, round(settings.LEASE_SECONDS / 3 / LEASE_CHECK_SECONDS))
    check, held = 0, True
    try:
        while held:
            await asyncio.sleep(LEASE_CHECK_SECONDS)
            check = (check + 1) % checks_per_renewal
            try:
                held = await sync_to_async(renew_lease if check == 0 else holds_lease)(claim)
            except DB_UNAVAILABLE as error:
                log.warning("run %s: the lease cannot be checked, the database is unavailable: %s", claim.run_id, error)
                await sync_to_async(close_old_connections)()  # a broken connection would fail again
                check = -1  # renew at the next check
    finally:
        work.cancel()


def record_outcome(claim: Claim, error: Exception) -> None:
    """Record why the work ended without a manuscript. Raises ``error`` again if it is unexpected."""
    try:
        match error:
            case LeaseLost():
                log.info("run %s was taken away: cancelled, deleted, or claimed by another worker", claim.run_id)
            case WorkerStopped():
                log.info("run %s is handed over, this worker was stopped", claim.run_id)
                hand_over(claim, STOPPED_MESSAGE)
            case ApprovalRequired():
                await_approval(claim, error.outline)
            case SpendingLimitReached():
                log.warning("run %s is paused: %s", claim.run_id, error)
                pause_run(claim, str(error))
            case ProviderUnavailable():
                log.warning("run %s waits for its provider: %s", claim.run_id, error)
                park_run(claim, error)
            case AgentError():
                log.warning("run %s failed: %s", claim.run_id, error)
                fail_run(claim, str(error), error.code)
            case _ if isinstance(error, DB_UNAVAILABLE):
                log.warning("run %s is left to the sweeper, the database is unavailable", claim.run_id)
                raise error
            case _:
                log.error("run %s failed with an unexpected error", claim.run_id, exc_info=error)
                fail_run(claim, UNEXPECTED_ERROR, FailureCode.INTERNAL_ERROR)
                raise error
    except LeaseLost:
        log.info("run %s was taken away before its outcome was recorded", claim.run_id)
