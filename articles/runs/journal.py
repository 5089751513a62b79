"""Writes a run's history for its worker: each step once, and how the run ended.

The output of a step, its cost and its event are committed in one transaction, which the lease fences.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Protocol, cast
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from pydantic import BaseModel
from structlog.contextvars import bound_contextvars

from agents.contract import Brief, BriefFields, Manuscript, Outline, Stage
from agents.costs.usage import metered
from agents.exceptions import AgentError, FailureCode, FileNotStored, ProviderUnavailable, SpendingLimitReached
from agents.pipeline.steps import Output, StepKey, StepSpec
from articles.exceptions import UNEXPECTED_ERROR, LeaseLost, StudioError
from articles.models import Article, Evidence, Run, Status
from articles.runs.db_retry import retry_on_outage
from articles.runs.lease import Claim, run_transaction
from articles.runs.step_writer import (
    PlanChanged,
    StageSkipped,
    StepAbandoned,
    StepChange,
    StepCompleted,
    StepFailed,
    StepStarted,
    StepWriter,
    completed_outputs,
    write_costs_unfenced,
)
from articles.runs.storage_retry import wait_for_storage
from articles.runs.traces import traced_step

STORAGE_PATIENCE = 60.0
"""Seconds in which an image is stored during an outage of the storage. The article can do without it."""


class DraftSender(Protocol):
    """Shows watchers what a step is writing: ``articles.live.draft_stream.DraftStream``."""

    def add(self, step: str, offset: int, text: str) -> None: ...

    def discard(self, step: str) -> None: ...


class RunJournal:
    """The recipe's journal (``agents.pipeline.steps.Journal``), for the worker that holds ``claim``.

    ``always`` are changes that are applied whenever steps are written.
    """

    def __init__(self, claim: Claim, drafts: DraftSender, always: Sequence[StepChange] = ()) -> None:
        self.claim = claim
        self.drafts = drafts
        self.writer = StepWriter(claim, always)
        self._abandoned: list[StepAbandoned] = []
        self._outputs: dict[StepKey, BaseModel] = {}
        self._stored: dict[StepKey, Any] | None = None

    async def once(self, step: StepSpec[Output]) -> Output:
        done = await self.recall(step.key, step.output)
        if done is not None:
            return done
        await self.writer.write(StepStarted(step.key, step.doing))
        with metered() as usage, bound_contextvars(step=str(step.key)), traced_step(step.key, usage):
            try:
                output = await step.perform()
            except asyncio.CancelledError:
                self._abandoned.append(StepAbandoned(step.key, usage))
                raise
            except (SpendingLimitReached, ProviderUnavailable):
                await self._end(StepAbandoned(step.key, usage))
                raise
            except Exception as error:
                await self._end(StepFailed(step.key, reason_of(error), usage))
                raise
        self.drafts.discard(str(step.key))
        await self._end(StepCompleted(step.key, step.done(output), output, usage))
        self._outputs[step.key] = output
        return output

    async def _end(self, change: StepAbandoned | StepFailed | StepCompleted) -> None:
        """Write how a step ended. Its cost is recorded even if the run was taken away in the meantime."""
        try:
            await self.writer.write(change)
        except LeaseLost:
            self._abandoned.append(StepAbandoned(change.key, change.usage))
            raise

    async def recall(self, key: StepKey, output: type[Output]) -> Output | None:
        if key in self._outputs:
            return cast(Output, self._outputs[key])
        if self._stored is None:  # read once: nobody else writes this run's history
            self._stored = await sync_to_async(completed_outputs)(self.claim)
        stored = self._stored.get(key)
        return None if stored is None else output.model_validate(stored)

    async def skip(self, stage: Stage, reason: str) -> None:
        await self.writer.write(StageSkipped(stage, reason))

    async def plan(self, steps: Mapping[Stage, int]) -> None:
        await self.writer.write(PlanChanged(steps))

    async def draft(self, key: StepKey, offset: int, text: str) -> None:
        self.drafts.add(str(key), offset, text)

    async def drain(self) -> None:
        """Write all finished steps and record all costs, also those of cancelled steps.

        Cancelling this does not interrupt it: a run that was cancelled may be stopped again while its costs are recorded.
        """
        await to_the_end(self._drain())

    async def _drain(self) -> None:
        await self.writer.drain()
        lost = [StepAbandoned(change.key, change.usage) for change in self.writer.lost if isinstance(change, ENDINGS)]
        if abandoned := [*self._abandoned, *lost]:
            await sync_to_async(write_costs_unfenced)(self.claim, [*abandoned, *self.writer.always])

    async def keep_file(self, name: str, data: bytes) -> str:
        """Stored under a name that is never used twice, so that browsers may cache it. Raises FileNotStored."""
        stored = f"covers/{self.claim.article_id}/{uuid4().hex}{PurePath(name).suffix}"
        try:
            kept = await wait_for_storage(lambda: default_storage.save(stored, ContentFile(data)), STORAGE_PATIENCE)
            return await sync_to_async(refuse_if_deleted)(self.claim, kept)
        except OSError as error:
            raise FileNotStored(
                f"The image could not be saved: {error.strerror or error}."
                " Check the free space and the permissions of the media folder, then run the article again."
            ) from error


ENDINGS = (StepAbandoned, StepFailed, StepCompleted)


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await ``work`` until it is done. If this task is cancelled meanwhile, CancelledError is raised afterwards."""
    task, cancelled = asyncio.create_task(work), None
    while not task.done():
        try:
            await asyncio.wait([task])  # unlike awaiting the task itself, this does not cancel it
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled


def refuse_if_deleted(claim: Claim, name: str) -> str:
    """Raises LeaseLost if the article was deleted while its file was stored: its files are gone, this one must not stay."""
    if not retry_on_outage(Article.objects.filter(pk=claim.article_id).exists)():
        default_storage.delete(name)
        raise LeaseLost(claim.run_id)
    return name


def reason_of(error: Exception) -> str:
    """The message of a failed step. That of an unexpected error is for the log only: it may name files and hosts."""
    return str(error) if isinstance(error, AgentError | StudioError) else UNEXPECTED_ERROR


@retry_on_outage
def read_brief(claim: Claim) -> Brief:
    """The article's brief with its sources. Raises LeaseLost if the article was deleted."""
    article = Article.objects.select_related("voice").filter(pk=claim.article_id).first()
    if article is None:
        raise LeaseLost(claim.run_id)
    fields = {name: getattr(article, name) for name in BriefFields.model_fields}
    run = Run.objects.get(pk=claim.run_id)
    return Brief.model_construct(  # not validated again: an older brief may break today's rules
        **fields,
        sources=[source.as_brief_source() for source in article.sources.all()],
        voice=article.voice.as_contract() if article.voice else None,
        outline_wish=run.outline_wish,
    )


# The end of a run. It also releases the run, so that a second try of an end that was committed raises LeaseLost.


@retry_on_outage
def complete_run(claim: Claim, manuscript: Manuscript, *, notice: str) -> None:
    """Store the finished manuscript as the article's next revision."""
    picture = manuscript.picture
    with run_transaction(claim) as (tx, run):
        tx.set(
            outline=manuscript.outline.model_dump(mode="json"),
            seo_meta=manuscript.seo.model_dump(mode="json") if manuscript.seo else None,
            research_data=manuscript.research_data(),
            references=[reference.model_dump(mode="json") for reference in manuscript.references],
            image=picture.name if picture else "",
            image_alt=picture.alt if picture else "",
            image_drawn_by=picture.drawn_by[:200] if picture else "",
            share_image=picture.share_name or picture.name if picture else "",
            notice=notice,
            completed_at=timezone.now(),
        )
        Evidence.objects.filter(run=run).delete()
        Evidence.objects.bulk_create(
            Evidence(run=run, number=number, **judged.model_dump())
            for number, judged in enumerate(manuscript.evidence, 1)
        )
        tx.save_text(manuscript.title, manuscript.content, by=None, run=run)
        cited = len(manuscript.references)
        message = f"{tx.article.word_count:,} words, {cited} reference{'' if cited == 1 else 's'}"
        tx.change_status(run, Status.COMPLETED, message, finished_at=timezone.now(), lease_expires_at=None)


@retry_on_outage
def pause_run(claim: Claim, reason: str) -> None:
    """Stop before a spending limit. Finished steps are kept; once the limit is raised, a retry continues from there."""
    ended = {"finished_at": timezone.now(), "lease_expires_at": None}
    with run_transaction(claim) as (tx, run):
        tx.change_status(run, Status.PAUSED, reason, reason=reason, failure_code=FailureCode.SPENDING_LIMIT, **ended)


@retry_on_outage
def await_approval(claim: Claim, outline: Outline) -> None:
    """Store the outline in the article and release the run until a person approves it."""
    with run_transaction(claim) as (tx, run):
        tx.set(outline=outline.model_dump(mode="json"))
        tx.change_status(
            run, Status.AWAITING_APPROVAL, "The outline is waiting for your approval", token=None, lease_expires_at=None
        )


@retry_on_outage
def fail_run(claim: Claim, reason: str, code: FailureCode) -> None:
    """End a run with a reason a person can act on. Finished steps are kept, and a retry continues from there."""
    ended = {"finished_at": timezone.now(), "lease_expires_at": None}
    with run_transaction(claim) as (tx, run):
        tx.change_status(run, Status.FAILED, reason, reason=reason, failure_code=code, **ended)
