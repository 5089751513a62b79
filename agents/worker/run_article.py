"""Making one article: its run is claimed already, its lease is kept while the crew works, and what came of it is recorded."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from structlog.contextvars import bind_contextvars

from agents.contract import AgentConfig, Manuscript, Stage
from agents.costs.budget import use_budget
from agents.exceptions import AgentError, ApprovalRequired, ProviderUnavailable, SpendingLimitReached
from agents.pipeline.recipe import produce
from agents.worker.dependencies import dependencies_from_settings
from articles.costs.limits import budget_for
from articles.exceptions import UNEXPECTED_ERROR, LeaseLost, WorkerStopped
from articles.runs.db_retry import DB_UNAVAILABLE
from articles.runs.journal import RunJournal, await_approval, complete_run, fail_run, pause_run, read_brief
from articles.runs.lease import Claim, holds_lease, renew_lease
from articles.runs.outages import park_run
from articles.runs.recovery import hand_over

log = logging.getLogger(__name__)

Ending = TypeVar("Ending")
Crew = Mapping[Stage, AgentConfig]
"""The six as an editor set them up."""

LEASE_CHECK_SECONDS = 0.3
"""How often a worker looks whether the run is still its own: how soon a cancelled one stops."""

STOPPED_MESSAGE = "Its worker was stopped; another will go on where it stopped"


class StopSignal:
    """SIGTERM, as all that a process works on hears it. To be made in the main thread, where the loop runs."""

    def __init__(self) -> None:
        self.received = False
        self._works: set[asyncio.Task[Manuscript]] = set()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._tell)

    def _tell(self) -> None:
        if self.received:  # twice, by its worker and by who stops all processes: what is done is being written
            return
        self.received = True
        for work in self._works:
            work.cancel()

    @contextmanager
    def cancels(self, work: asyncio.Task[Manuscript]) -> Iterator[None]:
        """Have ``work`` cancelled where the process is told to stop inside the block, or has been."""
        self._works.add(work)
        try:
            if self.received:
                work.cancel()
            yield
        finally:
            self._works.discard(work)


async def execute_run(claim: Claim, crew: Crew, stop: StopSignal, slots: asyncio.Semaphore) -> None:
    """Produce the manuscript while the lease is kept, and record what came of it; ``stop`` ends the calls in flight, which
    ``slots`` limits for all that a process makes.

    It is recorded in here: the loop waits at its end for threads that nobody can stop, such as one that reads a long page, and
    no lease is kept meanwhile.
    """
    bind_contextvars(run_id=claim.run_id, article_id=claim.article_id)
    work = asyncio.create_task(produce_manuscript(claim, crew, slots))
    keeping = asyncio.create_task(keep_lease(claim, work))
    try:
        with stop.cancels(work):
            manuscript = await unless_ended(work, keeping, claim, stop)
        await sync_to_async(complete_run)(claim, manuscript, notice="\n".join(manuscript.notices))
    except Exception as end:
        await sync_to_async(record_outcome)(claim, end)
    finally:
        keeping.cancel()


async def unless_ended(
    work: asyncio.Task[Manuscript], keeping: asyncio.Task[None], claim: Claim, stop: StopSignal
) -> Manuscript:
    """What the work makes. Raises LeaseLost where the lease was lost, and WorkerStopped where it was stopped."""
    try:
        return await work
    except asyncio.CancelledError as error:
        if stop.received:
            raise WorkerStopped(claim.run_id) from error
        if not keeping.done():  # it was not the lost lease, but somebody who stops this process
            raise
        await keeping  # raises what it ended with, where that was a mistake
        raise LeaseLost(claim.run_id) from error


async def produce_manuscript(claim: Claim, crew: Crew, slots: asyncio.Semaphore) -> Manuscript:
    brief = await sync_to_async(read_brief)(claim)
    budget = await sync_to_async(budget_for)(claim)
    journal = RunJournal(claim, [budget])
    async with dependencies_from_settings(crew, slots) as dependencies:
        with use_budget(budget):
            try:
                return await produce(brief, journal, dependencies)
            finally:
                await journal.drain()


async def keep_lease(claim: Claim, work: asyncio.Task[Manuscript]) -> None:
    """Renew the lease while the work goes on; cancel the work, and with it the calls in flight, once the lease is lost.

    A store that is away may be back before the lease has run out, and the sweeper leaves us the time to renew it then.
    """
    looks = max(1, round(settings.LEASE_SECONDS / 3 / LEASE_CHECK_SECONDS))
    look, held = 0, True
    try:
        while held:
            await asyncio.sleep(LEASE_CHECK_SECONDS)
            look = (look + 1) % looks
            try:
                held = await sync_to_async(renew_lease if look == 0 else holds_lease)(claim)
            except DB_UNAVAILABLE as error:
                log.warning("run %s: the lease cannot be looked after: %s", claim.run_id, error)
                await sync_to_async(close_old_connections)()  # a broken one would be broken again
                look = -1  # the next look renews
    finally:
        work.cancel()


def record_outcome(claim: Claim, end: Exception) -> None:
    """Write how the work ended other than well. Raises ``end`` where nobody expected it."""
    match end:
        case LeaseLost():
            log.info("run %s was taken away: cancelled, deleted, or handed to another worker", claim.run_id)
        case WorkerStopped():
            log.info("run %s is handed over, this worker was told to stop", claim.run_id)
            record(hand_over, claim, STOPPED_MESSAGE)
        case ApprovalRequired():
            record(await_approval, claim, end.outline)
        case SpendingLimitReached():
            log.warning("run %s is paused: %s", claim.run_id, end)
            record(pause_run, claim, str(end))
        case ProviderUnavailable():
            log.warning("run %s waits for its model: %s", claim.run_id, end)
            record(park_run, claim, end)
        case AgentError():
            log.warning("run %s failed: %s", claim.run_id, end)
            record(fail_run, claim, str(end))
        case _ if isinstance(end, DB_UNAVAILABLE):
            log.warning("run %s is left to the sweeper, the store is away", claim.run_id)
            raise end
        case _:
            log.error("run %s failed as nobody expected", claim.run_id, exc_info=end)
            record(fail_run, claim, UNEXPECTED_ERROR)
            raise end


def record(ending: Callable[[Claim, Ending], None], claim: Claim, told: Ending) -> None:
    """Write how the work ended, unless the run was cancelled or handed on in the meantime."""
    try:
        ending(claim, told)
    except LeaseLost:
        log.info("run %s was taken away before its end was recorded", claim.run_id)
