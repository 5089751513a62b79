"""The job: a run is claimed, made, and recorded. Everything else is in the recipe and the journal."""

from __future__ import annotations

import asyncio
import logging
import os
import socket

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError

from agents.contract import Manuscript
from agents.exceptions import AgentError
from agents.means import means_from_settings, writer
from agents.pipeline import produce
from articles.exceptions import RunTakenAway
from articles.journal import RunJournal, complete_run, fail_run, read_brief
from articles.lease import Claim, claim_run, renew_lease, still_holds

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often a worker looks whether the run is still its own: how soon a cancelled one stops."""

UNEXPECTED = "Something went wrong in the studio itself, which its log tells more of. Try again; what is done is kept."


def run_article(run_id: int) -> None:
    """Make the article of a pending run. Who loses the race for it returns; failures are recorded on the run."""
    claim = claim_run(run_id, worker=f"{socket.gethostname()}:{os.getpid()}", model=writer())
    if claim is None:
        log.info("run %s is not pending any more", run_id)
        return
    try:
        asyncio.run(make(claim))
    except RunTakenAway:
        log.info("run %s was taken away: cancelled, deleted, or handed to another worker", run_id)
    except AgentError as error:
        log.warning("run %s failed: %s", run_id, error)
        fail_unless_taken(claim, str(error))
    except Exception:
        fail_unless_taken(claim, UNEXPECTED)
        raise


async def make(claim: Claim) -> None:
    """Produce the manuscript while the lease is kept, and complete the run. Raises RunTakenAway where it was lost."""
    work = asyncio.create_task(manuscript_of(claim))
    keeping = asyncio.create_task(keep_lease(claim, work))
    try:
        manuscript = await work
        await sync_to_async(complete_run)(claim, manuscript, notice="\n".join(manuscript.notices))
    except asyncio.CancelledError as error:
        if not keeping.done():  # it was not the lost lease, but somebody who stops this process
            raise
        raise RunTakenAway(claim.run_id) from error
    finally:
        keeping.cancel()


async def manuscript_of(claim: Claim) -> Manuscript:
    brief = await sync_to_async(read_brief)(claim)
    async with means_from_settings() as means:
        return await produce(brief, RunJournal(claim), means)


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


def fail_unless_taken(claim: Claim, reason: str) -> None:
    try:
        fail_run(claim, reason)
    except RunTakenAway:
        log.info("run %s was taken away before its failure was recorded", claim.run_id)
