"""The job: a run is claimed, made, and recorded. Everything else is in the recipe and the journal."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
from collections.abc import Callable, Mapping
from typing import TypeVar

import uvloop
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from structlog.contextvars import bind_contextvars, unbind_contextvars

from agents.contract import AgentWords, Manuscript, Stage
from agents.costs.budget import spending_from
from agents.exceptions import AgentError, AwaitsApproval, CeilingReached, ProviderAway
from agents.means import means_from_settings, writer
from agents.pipeline import produce
from articles.ceilings import purse_for
from articles.exceptions import UNEXPECTED, RunTakenAway, WorkerStopped
from articles.journal import RunJournal, await_approval, complete_run, fail_run, pause_run, read_brief
from articles.lease import Claim, claim_run, renew_lease, still_holds, this_worker
from articles.patience import AWAY
from articles.roster import agents_of
from articles.services import (
    fail_unclaimed,
    hand_over,
    models_needed,
    park_run,
    runs_per_user,
    wait_with_others,
    whose_turn,
)

log = logging.getLogger(__name__)

Ending = TypeVar("Ending")
Crew = Mapping[Stage, AgentWords]
"""The six as an editor set them up."""

LOOK_SECONDS = 0.3
"""How often a worker looks whether the run is still its own: how soon a cancelled one stops."""

HANDED_OVER = "Its worker was stopped; another will go on where it stopped"


def run_next(run_id: int) -> None:
    """A job: make the article whose turn it is. The run that called for a worker may have to wait for another user's."""
    passed: set[int] = set()
    while (turn := whose_turn(passed)) is not None:
        if turn != run_id:
            unbind_contextvars("request_id")  # what is logged from here on is another request's
        if take_up(turn):
            return
        passed.add(turn)
    log.info("nothing can be taken up now, though run %s called for a worker", run_id)


def take_up(run_id: int) -> bool:
    """Make the article of the run whose turn it is. False where it has to wait, somebody else has it, or it cannot be begun.

    One that cannot be begun fails: it would have its turn again and again, and all behind it would wait for ever.
    """
    try:
        return not wait_with_others(run_id, models_needed(run_id)) and run_article(run_id, most=runs_per_user())
    except AWAY:
        raise
    except Exception:
        if not fail_unclaimed(run_id, UNEXPECTED):
            raise
        log.exception("run %s failed before it was begun", run_id)
        return False


def run_article(run_id: int, *, most: float = math.inf) -> bool:
    """Make the article of a pending run; failures are recorded on the run.

    False where somebody else has taken it, or ``most`` runs of its owner are in work already.
    """
    bind_contextvars(run_id=run_id)
    crew = agents_of(run_id)
    claim = claim_run(run_id, worker=this_worker(), model=writer(crew), most=most)
    if claim is None:
        log.info("run %s is not pending any more, or its owner has enough in work", run_id)
        return False
    bind_contextvars(article_id=claim.article_id)
    uvloop.run(make(claim, crew))
    return True


async def make(claim: Claim, crew: Crew) -> None:
    """Produce the manuscript while the lease is kept, and record what came of it; SIGTERM ends the calls in flight.

    It is recorded in here: once this returns, the loop waits for threads that nobody can stop, such as one that reads a
    long page, and no lease is kept meanwhile.
    """
    work = asyncio.create_task(manuscript_of(claim, crew))
    keeping = asyncio.create_task(keep_lease(claim, work))
    try:
        manuscript = await unless_ended(work, keeping, claim)
        await sync_to_async(complete_run)(claim, manuscript, notice="\n".join(manuscript.notices))
    except Exception as end:
        await sync_to_async(record_end)(claim, end)
    finally:
        keeping.cancel()


async def unless_ended(work: asyncio.Task[Manuscript], keeping: asyncio.Task[None], claim: Claim) -> Manuscript:
    """What the work makes. Raises RunTakenAway where the lease was lost, and WorkerStopped on SIGTERM."""
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():  # told twice, by its worker and by who stops all processes: what is done is being written
            return
        stopped.set()
        work.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        return await work
    except asyncio.CancelledError as error:
        if stopped.is_set():
            raise WorkerStopped(claim.run_id) from error
        if not keeping.done():  # it was not the lost lease, but somebody who stops this process
            raise
        await keeping  # raises what it ended with, where that was a mistake
        raise RunTakenAway(claim.run_id) from error


async def manuscript_of(claim: Claim, crew: Crew) -> Manuscript:
    brief = await sync_to_async(read_brief)(claim)
    purse = await sync_to_async(purse_for)(claim)
    journal = RunJournal(claim, [purse.enter])
    async with means_from_settings(crew) as means:
        with spending_from(purse):
            try:
                return await produce(brief, journal, means)
            finally:
                await journal.settled()


async def keep_lease(claim: Claim, work: asyncio.Task[Manuscript]) -> None:
    """Renew the lease while the work goes on; cancel the work, and with it the calls in flight, once the lease is lost.

    A store that is away may be back before the lease has run out, and the sweeper leaves us the time to renew it then.
    """
    looks = max(1, round(settings.LEASE_SECONDS / 3 / LOOK_SECONDS))
    look, held = 0, True
    try:
        while held:
            await asyncio.sleep(LOOK_SECONDS)
            look = (look + 1) % looks
            try:
                held = await sync_to_async(renew_lease if look == 0 else still_holds)(claim)
            except AWAY as error:
                log.warning("run %s: the lease cannot be looked after: %s", claim.run_id, error)
                await sync_to_async(close_old_connections)()  # a broken one would be broken again
                look = -1  # the next look renews
    finally:
        work.cancel()


def record_end(claim: Claim, end: Exception) -> None:
    """Write how the work ended other than well. Raises ``end`` where nobody expected it."""
    match end:
        case RunTakenAway():
            log.info("run %s was taken away: cancelled, deleted, or handed to another worker", claim.run_id)
        case WorkerStopped():
            log.info("run %s is handed over, this worker was told to stop", claim.run_id)
            record(hand_over, claim, HANDED_OVER)
        case AwaitsApproval():
            record(await_approval, claim, end.outline)
        case CeilingReached():
            log.warning("run %s is paused: %s", claim.run_id, end)
            record(pause_run, claim, str(end))
        case ProviderAway():
            log.warning("run %s waits for its model: %s", claim.run_id, end)
            record(park_run, claim, end)
        case AgentError():
            log.warning("run %s failed: %s", claim.run_id, end)
            record(fail_run, claim, str(end))
        case _ if isinstance(end, AWAY):
            log.warning("run %s is left to the sweeper, the store is away", claim.run_id)
            raise end
        case _:
            record(fail_run, claim, UNEXPECTED)
            raise end


def record(ending: Callable[[Claim, Ending], None], claim: Claim, told: Ending) -> None:
    """Write how the work ended, unless the run was cancelled or handed on in the meantime."""
    try:
        ending(claim, told)
    except RunTakenAway:
        log.info("run %s was taken away before its end was recorded", claim.run_id)
