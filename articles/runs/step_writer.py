"""The entries of a run's history, and the scribe that writes those which come together in one transaction.

An entry is a function of the tx and the run. Twenty-six sections that begin side by side are one transaction, not
twenty-six: on SQLite, where one process writes at a time, that decides how many articles can be written at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.utils import timezone

from agents.contract import AGENTS, Stage
from agents.costs.usage import Usage
from agents.pipeline.steps import Output, StepSpec
from articles.exceptions import ArticleGone
from articles.models import Event, Run, Step, StepStatus
from articles.runs.db_retry import retry_on_outage
from articles.runs.event_log import ArticleTransaction, article_transaction
from articles.runs.lease import Claim, run_transaction
from articles.runs.outages import mark_available

log = logging.getLogger(__name__)

StepChange = Callable[[ArticleTransaction, Run], None]

TALLIED = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens", "cost", "unpriced_calls")
"""What a step sums up over its calls, besides their number."""


class StepWriter:
    """Writes entries for the worker that holds ``claim``: what comes in while it writes goes into the next transaction.

    ``standing`` ones go into each.
    """

    def __init__(self, claim: Claim, standing: Sequence[StepChange] = ()) -> None:
        self.claim = claim
        self.standing = standing
        self._waiting: list[tuple[StepChange, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def enter(self, entry: StepChange) -> None:
        """Returns once ``entry`` is committed. Raises LeaseLost, and what the store raises."""
        committed = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, committed))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await committed

    async def settled(self) -> None:
        """Returns once nothing waits any more: what was entered is written although nobody awaits it."""
        if self._writing is not None:
            await self._writing

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error = None
            try:
                await sync_to_async(write)(self.claim, [*(entry for entry, _ in batch), *self.standing])
            except Exception as problem:  # raised again where each entry is awaited
                error = problem
            awaited = [committed for _, committed in batch if not committed.done()]  # the others' tasks were cancelled
            if error is not None and not awaited:
                log.warning("run %s: nobody waits any more for what was not written: %r", self.claim.run_id, error)
            for committed in awaited:
                if error is None:
                    committed.set_result(None)
                else:
                    committed.set_exception(error)


def write(claim: Claim, entries: Sequence[StepChange]) -> None:
    """All of ``entries``, once, or none of them. Raises LeaseLost where the claim does not hold any more."""
    seen: int | None = None

    @retry_on_outage
    def attempt() -> None:
        nonlocal seen
        with run_transaction(claim) as (tx, run):
            if seen not in (None, tx.article.last_seq):
                return  # an earlier try was committed, and its answer lost: nobody else tells events while we hold the run
            seen = tx.article.last_seq
            for entry in entries:
                entry(tx, run)

    attempt()


def record_costs_unfenced(claim: Claim, entries: Sequence[StepChange]) -> None:
    """Enter what was paid for and could not be counted under the claim, whoever holds the run by now.

    Not fenced: such entries add to what is there, and tell nothing. Tried once: a second try might count twice.
    """
    try:
        with article_transaction(claim.article_id) as tx:
            run = Run.objects.get(pk=claim.run_id)
            for entry in entries:
                entry(tx, run)
    except ArticleGone:
        log.info("run %s was deleted, and what its last calls cost with it", claim.run_id)


@retry_on_outage
def completed_outputs(claim: Claim) -> dict[str, Any]:
    """Key → stored output of each step that is done."""
    return dict(Step.objects.done().filter(run=claim.run_id).values_list("key", "output"))


# The entries


def begun(step: StepSpec[Any]) -> StepChange:
    """A step has begun; one that was begun or failed before begins anew, and keeps what it cost."""

    def enter(tx: ArticleTransaction, run: Run) -> None:
        fresh = {"status": StepStatus.STARTED, "message": step.doing, "started_at": timezone.now(), "finished_at": None}
        Step.objects.bulk_create(
            [Step(run=run, key=step.key, **fresh)],
            update_conflicts=True,
            unique_fields=["run", "key"],
            update_fields=fresh,
        )
        tx.set(current_agent=step.agent, message=step.doing)
        log_step(tx, run, step.key, StepStatus.STARTED, step.doing)

    return enter


def finished(step: StepSpec[Output], output: Output, usage: Usage) -> StepChange:
    """What a step made and what it cost."""
    end = ended(step, StepStatus.COMPLETED, step.done(output), usage, output=output.model_dump(mode="json"))

    def enter(tx: ArticleTransaction, run: Run) -> None:
        end(tx, run)
        if run.parked_since and usage.calls and not usage.pictures:
            mark_available(run, step.stage)

    return enter


def failed(step: StepSpec[Any], reason: str, usage: Usage) -> StepChange:
    """A step failed. What it cost is kept."""
    return ended(step, StepStatus.FAILED, reason, usage)


def ended(step: StepSpec[Any], status: StepStatus, message: str, usage: Usage, output: Any = None) -> StepChange:
    def enter(tx: ArticleTransaction, run: Run) -> None:
        row = Step.objects.get(run=run, key=step.key)
        row.status, row.message, row.output, row.finished_at = status, message, output, timezone.now()
        tally(row, usage)
        row.save()
        tx.set(current_agent=step.agent, message=message)
        log_step(tx, run, step.key, status, message, execution_time=round(row.seconds or 0, 2))

    return enter


def left(step: StepSpec[Any], usage: Usage) -> StepChange:
    """What an unfinished step cost. It begins anew when the run goes on.

    No event tells of it, so it sees itself whether an earlier try was committed after all, and counts once.
    """
    calls_before: int | None = None

    def enter(tx: ArticleTransaction, run: Run) -> None:
        nonlocal calls_before
        begun_before = Step.objects.get(run=run, key=step.key)
        if calls_before not in (None, begun_before.model_calls):
            return
        calls_before = begun_before.model_calls
        tally(begun_before, usage)
        begun_before.save()

    return enter


def tally(step: Step, usage: Usage) -> None:
    step.model_calls += usage.calls
    for field in TALLIED:
        setattr(step, field, getattr(step, field) + getattr(usage, field))


def skipped(stage: Stage, reason: str) -> StepChange:
    """A stage is left out, and why; told once."""

    def enter(tx: ArticleTransaction, run: Run) -> None:
        key = f"{stage}:skipped"
        once = {"status": StepStatus.SKIPPED, "message": reason, "finished_at": timezone.now()}
        _, created = Step.objects.get_or_create(run=run, key=key, defaults=once)
        if created:
            log_step(tx, run, key, StepStatus.SKIPPED, reason)

    return enter


def planned(steps: Mapping[Stage, int]) -> StepChange:
    """How many steps each stage will have. Watchers see the progress that follows from it with the next event."""

    def enter(tx: ArticleTransaction, run: Run) -> None:
        run.plan = dict(steps)
        run.save(update_fields=["plan"])

    return enter


def log_step(tx: ArticleTransaction, run: Run, key: str, status: StepStatus, message: str, **more: object) -> None:
    agent = next(agent for stage, agent in AGENTS.items() if key.startswith(f"{stage}:"))
    tx.log_event(Event.Type.AGENT_UPDATE, run, agent=agent, status=status, message=message, step=key, **more)
