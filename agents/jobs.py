"""The job: a run is claimed, made, and recorded. Everything else is in the recipe and the journal."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError
from structlog.contextvars import bind_contextvars, unbind_contextvars

from agents.contract import AgentWords, Manuscript, Stage
from agents.costs.budget import spending_from
from agents.exceptions import AgentError, AwaitsApproval, CeilingReached, ProviderAway
from agents.means import means_from_settings, writer
from agents.pipeline import produce
from articles.ceilings import purse_for
from articles.exceptions import RunTakenAway, WorkerStopped
from articles.journal import RunJournal, await_approval, complete_run, fail_run, pause_run, read_brief
from articles.lease import Claim, claim_run, renew_lease, still_holds, this_worker
from articles.patience import AWAY
from articles.roster import agents_of
from articles.services import hand_over, park_run, wait_with_others, whose_turn

log = logging.getLogger(__name__)

Ending = TypeVar("Ending")
Crew = Mapping[Stage, AgentWords]
"""The six as an editor set them up."""

LOOK_SECONDS = 0.3
"""How often a worker looks whether the run is still its own: how soon a cancelled one stops."""

UNEXPECTED = "Something went wrong in the studio itself, which its log tells more of. Try again; what is done is kept."

HANDED_OVER = "Its worker was stopped; another will go on where it stopped"


def run_next(run_id: int) -> None:
    """A job: make the article whose turn it is. The run that called for a worker may have to wait for another user's."""
    passed: set[int] = set()
    while (turn := whose_turn(passed)) is not None:
        if turn != run_id:
            unbind_contextvars("request_id")  # what is logged from here on is another request's
        waits = wait_with_others(turn, writer(agents_of(turn)))
        if not waits and run_article(turn):
            return
        passed.add(turn)
    log.info("nothing can be taken up now, though run %s called for a worker", run_id)


def run_article(run_id: int) -> bool:
    """Make the article of a pending run; failures are recorded on the run. False where somebody else has taken it."""
    bind_contextvars(run_id=run_id)
    crew = agents_of(run_id)
    claim = claim_run(run_id, worker=this_worker(), model=writer(crew))
    if claim is None:
        log.info("run %s is not pending any more", run_id)
        return False
    bind_contextvars(article_id=claim.article_id)
    try:
        asyncio.run(make(claim, crew))
    except RunTakenAway:
        log.info("run %s was taken away: cancelled, deleted, or handed to another worker", run_id)
    except WorkerStopped:
        log.info("run %s is handed over, this worker was told to stop", run_id)
        record(hand_over, claim, HANDED_OVER)
    except AwaitsApproval as waiting:
        record(await_approval, claim, waiting.outline)
    except CeilingReached as reached:
        log.warning("run %s is paused: %s", run_id, reached)
        record(pause_run, claim, str(reached))
    except ProviderAway as away:
        log.warning("run %s waits for its model: %s", run_id, away)
        record(park_run, claim, away)
    except AgentError as error:
        log.warning("run %s failed: %s", run_id, error)
        record(fail_run, claim, str(error))
    except AWAY:
        log.warning("run %s is left to the sweeper, the store is away", run_id)
        raise
    except Exception:
        record(fail_run, claim, UNEXPECTED)
        raise
    return True


async def make(claim: Claim, crew: Crew) -> None:
    """Produce the manuscript while the lease is kept, and complete the run.

    Raises RunTakenAway where the lease was lost, and WorkerStopped on SIGTERM, which ends the calls in flight.
    """
    work = asyncio.create_task(manuscript_of(claim, crew))
    keeping = asyncio.create_task(keep_lease(claim, work))
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():  # told twice, by its worker and by who stops all processes: what is done is being written
            return
        stopped.set()
        work.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        manuscript = await work
        await sync_to_async(complete_run)(claim, manuscript, notice="\n".join(manuscript.notices))
    except asyncio.CancelledError as error:
        if stopped.is_set():
            raise WorkerStopped(claim.run_id) from error
        if not keeping.done():  # it was not the lost lease, but somebody who stops this process
            raise
        raise RunTakenAway(claim.run_id) from error
    finally:
        keeping.cancel()


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
    """Renew the lease while the work goes on; cancel the work, and with it the calls in flight, once the lease is lost."""
    looks = max(1, round(settings.LEASE_SECONDS / 3 / LOOK_SECONDS))
    look = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        look = (look + 1) % looks
        try:
            held = await sync_to_async(renew_lease if look == 0 else still_holds)(claim)
        except DatabaseError as error:  # it may be back before the lease runs out, and the journal's writes are fenced
            log.warning("run %s: the lease cannot be looked after: %s", claim.run_id, error)
            continue
        if not held:
            work.cancel()
            return


def record(ending: Callable[[Claim, Ending], None], claim: Claim, told: Ending) -> None:
    """Write how the work ended, unless the run was cancelled or handed on in the meantime."""
    try:
        ending(claim, told)
    except RunTakenAway:
        log.info("run %s was taken away before its end was recorded", claim.run_id)
