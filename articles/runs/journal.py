"""A run's history as its worker writes it: steps that are done once, and how it ended.

What a step made, what it cost and the event that tells of it are committed in one transaction, fenced by the lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, cast
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from pydantic import BaseModel
from structlog.contextvars import bound_contextvars

from agents.contract import Brief, BriefFields, Manuscript, Outline, Stage
from agents.costs.usage import metered
from agents.exceptions import AgentError, FileNotStored, ProviderUnavailable, SpendingLimitReached
from agents.pipeline.steps import Output, StepKey, StepSpec
from articles.exceptions import UNEXPECTED_ERROR, LeaseLost, StudioError
from articles.live.draft_stream import DraftStream
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


class RunJournal:
    """The recipe's journal (``agents.pipeline.steps.Journal``), for the worker that holds ``claim``.

    ``always`` are changes that are applied whenever steps are written.
    """

    def __init__(self, claim: Claim, always: Sequence[StepChange] = ()) -> None:
        self.claim = claim
        self.drafts = DraftStream(claim.article_id)
        self.writer = StepWriter(claim, always)
        self._unrecorded: list[StepChange] = []
        self._outputs: dict[StepKey, BaseModel] = {}
        self._stored: dict[StepKey, Any] | None = None

    async def once(self, step: StepSpec[Output]) -> Output:
        done = await self.recall(step.key, step.output)
        if done is not None:
            return done
        await self.writer.write(StepStarted(step.key, step.doing))
        with metered() as usage, bound_contextvars(step=str(step.key)):
            try:
                output = await step.perform()
            except asyncio.CancelledError:
                self._unrecorded.append(StepAbandoned(step.key, usage))
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
            self._unrecorded.append(StepAbandoned(change.key, change.usage))
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

    async def drain(self) -> None:
        """Returns once all finished steps are written and all costs recorded, also those of cancelled steps."""
        await self.writer.drain()
        if self._unrecorded:
            await sync_to_async(write_costs_unfenced)(self.claim, [*self._unrecorded, *self.writer.always])

    async def draft(self, key: StepKey, offset: int, text: str) -> None:
        self.drafts.add(str(key), offset, text)

    async def keep_file(self, name: str, data: bytes) -> str:
        """Stored under a name that is never given twice, so that browsers may keep what they were shown. Raises FileNotStored."""
        stored = f"covers/{self.claim.article_id}/{uuid4().hex}{PurePath(name).suffix}"
        try:
            return await sync_to_async(keep)(self.claim, stored, data)
        except OSError as error:
            raise FileNotStored(
                f"The picture could not be saved: {error.strerror or error}."
                " Make room where the studio keeps its media, or let it write there, and write the article again."
            ) from error


def keep(claim: Claim, stored: str, data: bytes) -> str:
    """Save a picture. Raises LeaseLost where its article was deleted, which then took what was there along, but not this."""
    name = default_storage.save(stored, ContentFile(data))
    if not retry_on_outage(Article.objects.filter(pk=claim.article_id).exists)():
        default_storage.delete(name)
        raise LeaseLost(claim.run_id)
    return name


def reason_of(error: Exception) -> str:
    """What a person is told of a failed step. The words of an unexpected error are for the log: they may name files and hosts."""
    return str(error) if isinstance(error, AgentError | StudioError) else UNEXPECTED_ERROR


@retry_on_outage
def read_brief(claim: Claim) -> Brief:
    """What the crew is asked, with the sources the person brings. Raises LeaseLost where the article is gone."""
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


# The end. Who ends a run lets go of it, so that a second try of an end that was committed finds the run taken away.


@retry_on_outage
def complete_run(claim: Claim, manuscript: Manuscript, *, notice: str) -> None:
    """Put the finished manuscript on the article as its next revision, and tell that the run is completed."""
    picture = manuscript.picture
    with run_transaction(claim) as (tx, run):
        tx.set(
            outline=manuscript.outline.model_dump(mode="json"),
            seo_meta=manuscript.seo.model_dump(mode="json") if manuscript.seo else None,
            research_data=manuscript.research_data(),
            references=[reference.model_dump(mode="json") for reference in manuscript.references],
            image=picture.name if picture else "",
            image_alt=picture.alt if picture else "",
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
    """Stop before something a person has to decide. What is done stays, and resuming goes on from there."""
    with run_transaction(claim) as (tx, run):
        tx.change_status(run, Status.PAUSED, reason, reason=reason, finished_at=timezone.now(), lease_expires_at=None)


@retry_on_outage
def await_approval(claim: Claim, outline: Outline) -> None:
    """Put the outline on the article and let go of the run until a person approves it: no worker is held."""
    with run_transaction(claim) as (tx, run):
        tx.set(outline=outline.model_dump(mode="json"))
        tx.change_status(
            run, Status.AWAITING_APPROVAL, "The outline waits for you to approve it", token=None, lease_expires_at=None
        )


@retry_on_outage
def fail_run(claim: Claim, reason: str) -> None:
    """End a run with the reason a person can act on. What is done stays, and a retry goes on from there."""
    with run_transaction(claim) as (tx, run):
        tx.change_status(run, Status.FAILED, reason, reason=reason, finished_at=timezone.now(), lease_expires_at=None)
