"""Writes changes to the steps of a run, batched into few transactions.

Twenty-six sections that start at the same moment are one transaction, not twenty-six. On SQLite, which has one writer at a
time, this decides how many articles can be written at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.utils import timezone
from pydantic import BaseModel

from agents.contract import Stage
from agents.costs.usage import Usage
from agents.pipeline.steps import StepKey
from articles.exceptions import ArticleGone, LeaseLost
from articles.models import Run, Step, StepStatus
from articles.runs.db_retry import retry_on_outage
from articles.runs.event_log import ArticleTransaction, article_transaction
from articles.runs.lease import Claim, run_transaction
from articles.runs.measurements import measure_step
from articles.runs.outages import mark_available
from articles.runs.stages import counts_of

log = logging.getLogger(__name__)


class StepChange(Protocol):
    """A change to a run's history. It is applied inside the transaction that holds the article's row."""

    def apply(self, tx: ArticleTransaction, run: Run) -> None: ...


@dataclass(frozen=True)
class StepStarted:
    """A step started. One that was started before starts again and keeps what it has cost."""

    key: StepKey
    message: str

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        fresh = {
            "status": StepStatus.STARTED,
            "message": self.message,
            "started_at": timezone.now(),
            "finished_at": None,
        }
        if not run.steps.with_key(self.key).update(**fresh):
            Step.objects.create(run=run, **self.key.columns(), **fresh)
        tx.set(current_agent=self.key.agent, message=self.message)
        tx.log_step(run, self.key, StepStatus.STARTED, self.message)


@dataclass(frozen=True)
class StepCompleted:
    """A step is done: stores its output and its cost."""

    key: StepKey
    message: str
    output: BaseModel
    usage: Usage

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        end_step(tx, run, self.key, StepStatus.COMPLETED, self.message, self.usage, output=self.output)
        if run.parked_since and self.usage.calls and not self.usage.pictures:
            mark_available(run, self.key.stage)


@dataclass(frozen=True)
class StepFailed:
    """A step failed. Its cost is kept."""

    key: StepKey
    message: str
    usage: Usage

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        end_step(tx, run, self.key, StepStatus.FAILED, self.message, self.usage)


@dataclass(frozen=True)
class StepAbandoned:
    """The cost of a step that was not finished. It starts again when the run is resumed.

    Logs no event, so ``write_changes`` cannot see whether an earlier try was committed; this compares the number of calls
    before the first try instead, and adds the cost once.
    """

    key: StepKey
    usage: Usage
    _calls_before: list[int] = field(default_factory=list, repr=False, compare=False)

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        step = run.steps.with_key(self.key).get()
        self._calls_before.append(step.model_calls)
        if step.model_calls == self._calls_before[0]:
            step.add_usage(self.usage)
            step.save()


@dataclass(frozen=True)
class StageSkipped:
    """A stage is left out. Recorded once."""

    stage: Stage
    reason: str

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        key = StepKey(self.stage, "skipped")
        if not run.steps.with_key(key).exists():
            fields = {"status": StepStatus.SKIPPED, "message": self.reason, "finished_at": timezone.now()}
            Step.objects.create(run=run, **key.columns(), **fields)
            tx.log_step(run, key, StepStatus.SKIPPED, self.reason)


@dataclass(frozen=True)
class PlanChanged:
    """How many steps each stage is expected to have. The progress that follows from it is sent with the next event."""

    steps: Mapping[Stage, int]

    def apply(self, tx: ArticleTransaction, run: Run) -> None:
        run.plan = dict(self.steps)
        run.save(update_fields=["plan"])


def end_step(
    tx: ArticleTransaction,
    run: Run,
    key: StepKey,
    status: StepStatus,
    message: str,
    usage: Usage,
    *,
    output: BaseModel | None = None,
) -> None:
    step = run.steps.with_key(key).defer("output").get()
    step.status, step.message, step.finished_at = status, message, timezone.now()
    step.output = output.model_dump(mode="json") if output else None
    step.counts = counts_of(output) if output else {}
    step.add_usage(usage)
    step.save()
    measure_step(step, float(usage.cost))
    tx.set(current_agent=key.agent, message=message)
    tx.log_step(run, key, status, message, execution_time=round(step.seconds or 0, 2))


def show_step_in_progress(tx: ArticleTransaction, run: Run) -> None:
    """Set the article's agent and message to those of the step in progress that started last, if there is one."""
    steps = run.steps.filter(status=StepStatus.STARTED).order_by("-started_at", "-pk")
    if step := steps.only("stage", "kind", "section", "attempt", "message").first():
        tx.set(current_agent=step.key.agent, message=step.message)


class StepWriter:
    """Writes changes for the worker that holds ``claim``. Changes that arrive during a write go into the next transaction.

    ``always`` are applied in every transaction.
    """

    def __init__(self, claim: Claim, always: Sequence[StepChange] = ()) -> None:
        self.claim = claim
        self.always = always
        self.lost: list[StepChange] = []
        """Changes that came too late for the lease, and that no task awaits any more."""
        self._waiting: list[tuple[StepChange, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, change: StepChange) -> None:
        """Returns once ``change`` is committed. Raises LeaseLost and database errors."""
        committed = asyncio.get_running_loop().create_future()
        self._waiting.append((change, committed))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_waiting())
        await committed

    async def drain(self) -> None:
        """Returns once all changes are written, including those that no task awaits any more."""
        if self._writing is not None:
            await asyncio.shield(self._writing)  # if this task is cancelled, the write continues for the others

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error = None
            try:
                await sync_to_async(write_changes)(self.claim, [*(change for change, _ in batch), *self.always])
            except Exception as raised:  # raised again in each task that awaits one of the changes
                error = raised
            for change, committed in batch:
                if committed.done():  # its task was cancelled
                    self._note_unawaited(change, error)
                elif error is None:
                    committed.set_result(None)
                else:
                    committed.set_exception(error)

    def _note_unawaited(self, change: StepChange, error: Exception | None) -> None:
        if isinstance(error, LeaseLost):
            self.lost.append(change)
        elif error is not None:
            log.warning(
                "run %s: %s was not written, and no task awaits it: %r", self.claim.run_id, type(change).__name__, error
            )


def write_changes(claim: Claim, changes: Sequence[StepChange]) -> None:
    """Apply all of ``changes`` exactly once, or none of them. Raises LeaseLost."""
    seq_before: int | None = None

    @retry_on_outage
    def attempt() -> None:
        nonlocal seq_before
        with run_transaction(claim) as (tx, run):
            if seq_before not in (None, tx.article.last_seq):
                return  # an earlier try was committed and its reply lost: nobody else logs events while we hold the run
            seq_before = tx.article.last_seq
            for change in changes:
                change.apply(tx, run)
            if any(isinstance(change, StepCompleted | StepFailed) for change in changes):
                show_step_in_progress(tx, run)  # an ended step has set its own message

    attempt()


def write_costs_unfenced(claim: Claim, changes: Sequence[StepChange]) -> None:
    """Record costs that could not be written under the claim, even if another worker holds the run now.

    Only for changes that add to what is stored and log no event. Not retried: a second try might count twice.
    """
    try:
        with article_transaction(claim.article_id) as tx:
            run = Run.objects.get(pk=claim.run_id)
            for change in changes:
                change.apply(tx, run)
    except ArticleGone:
        log.info("run %s was deleted, and with it the cost of its last calls", claim.run_id)


@retry_on_outage
def completed_outputs(claim: Claim) -> dict[StepKey, Any]:
    """The stored output of each completed step of the run."""
    return {step.key: step.output for step in Step.objects.done().filter(run=claim.run_id)}
