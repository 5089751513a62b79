"""A run's history as its worker writes it: steps that are done once, and how it ended.

What a step made, what it cost and the event that tells of it are committed in one transaction, fenced by the lease.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from redis.exceptions import RedisError

from agents.contract import AGENTS, Brief, Manuscript, Stage
from agents.steps import Output, StepSpec
from agents.usage import Usage, metered
from articles.doorbell import draft_text, group_of
from articles.exceptions import RunTakenAway
from articles.lease import Claim, writing_as
from articles.ledger import Pen
from articles.models import Article, Event, Run, Status, Step, StepStatus

log = logging.getLogger(__name__)


class RunJournal:
    """The journal the recipe writes in (``agents.contract.Journal``), for the worker that holds ``claim``."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim

    async def once(self, step: StepSpec[Output]) -> Output:
        stored = await sync_to_async(recall_step)(self.claim, step.key)
        if stored is not None:
            return step.output.model_validate(stored)
        await sync_to_async(begin_step)(self.claim, step)
        with metered() as usage:
            try:
                output = await step.perform()
            except Exception as error:
                await sync_to_async(fail_step)(self.claim, step, str(error) or type(error).__name__, usage)
                raise
        await sync_to_async(finish_step)(self.claim, step, output, usage)
        return output

    async def skip(self, stage: Stage, reason: str) -> None:
        await sync_to_async(skip_stage)(self.claim, stage, reason)

    async def plan(self, steps: Mapping[Stage, int]) -> None:
        await sync_to_async(plan_steps)(self.claim, steps)

    async def draft(self, key: str, offset: int, text: str) -> None:
        layer = get_channel_layer()
        assert layer is not None, "CHANNEL_LAYERS has no default"
        article = self.claim.article_id
        try:
            await layer.group_send(group_of(article), draft_text(article, key, offset, text))
        except (RedisError, OSError) as error:
            # A preview is worth no run. The receiver warns of the same outage with each event, ten times less often.
            log.debug("article %s: a draft could not be shown: %s", article, error)

    async def keep_file(self, name: str, data: bytes) -> str:
        """Stored under a name that is never given twice, so that browsers may keep what they were shown."""
        stored = f"covers/{self.claim.article_id}/{uuid4().hex}{PurePath(name).suffix}"
        return await sync_to_async(default_storage.save)(stored, ContentFile(data))


def read_brief(claim: Claim) -> Brief:
    """What the crew is asked, with the sources the person brings. Raises RunTakenAway where the article is gone."""
    article = Article.objects.filter(pk=claim.article_id).first()
    if article is None:
        raise RunTakenAway(claim.run_id)
    fields = {name: getattr(article, name) for name in Brief.model_fields if name != "sources"}
    return Brief(**fields, sources=[source.as_brief_source() for source in article.sources.all()])


# The steps


def recall_step(claim: Claim, key: str) -> Any | None:
    """The stored output of a step that is done, else None."""
    return Step.objects.done().filter(run=claim.run_id, key=key).values_list("output", flat=True).first()


def begin_step(claim: Claim, step: StepSpec[Any]) -> None:
    """Note and tell that a step has begun; one that was begun or failed before begins anew."""
    with writing_as(claim) as (pen, run):
        fresh = {"status": StepStatus.STARTED, "message": step.doing, "started_at": timezone.now(), "finished_at": None}
        Step.objects.update_or_create(run=run, key=step.key, defaults=fresh)
        pen.set(current_agent=step.agent, message=step.doing)
        tell_step(pen, run, step.key, StepStatus.STARTED, step.doing)


def finish_step(claim: Claim, step: StepSpec[Output], output: Output, usage: Usage) -> None:
    """Store what a step made and what it cost, and tell it."""
    end_step(claim, step.key, StepStatus.COMPLETED, step.done(output), usage, output=output.model_dump(mode="json"))


def fail_step(claim: Claim, step: StepSpec[Any], reason: str, usage: Usage) -> None:
    """Note and tell that a step failed. What it cost is kept."""
    end_step(claim, step.key, StepStatus.FAILED, reason, usage)


def end_step(claim: Claim, key: str, status: StepStatus, message: str, usage: Usage, output: Any = None) -> None:
    with writing_as(claim) as (pen, run):
        step = Step.objects.get(run=run, key=key)
        step.status, step.message, step.output, step.finished_at = status, message, output, timezone.now()
        step.model_calls += usage.calls
        for field in ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"):
            setattr(step, field, getattr(step, field) + getattr(usage, field))
        step.save()
        pen.set(message=message)
        tell_step(pen, run, key, status, message, execution_time=round(step.seconds or 0, 2))


def skip_stage(claim: Claim, stage: Stage, reason: str) -> None:
    """Tell, once, that a stage is left out and why."""
    with writing_as(claim) as (pen, run):
        key = f"{stage}:skipped"
        skipped = {"status": StepStatus.SKIPPED, "message": reason, "finished_at": timezone.now()}
        _, created = Step.objects.get_or_create(run=run, key=key, defaults=skipped)
        if created:
            tell_step(pen, run, key, StepStatus.SKIPPED, reason)


def plan_steps(claim: Claim, steps: Mapping[Stage, int]) -> None:
    """Store how many steps each stage will have. Watchers see the progress that follows from it with the next event."""
    Run.objects.filter(pk=claim.run_id, token=claim.token).update(plan=dict(steps))


def tell_step(pen: Pen, run: Run, key: str, status: StepStatus, message: str, **more: object) -> None:
    agent = next(agent for stage, agent in AGENTS.items() if key.startswith(f"{stage}:"))
    pen.tell(Event.Type.AGENT_UPDATE, run, agent=agent, status=status, message=message, step=key, **more)


# The end


def complete_run(claim: Claim, manuscript: Manuscript, *, notice: str) -> None:
    """Put the finished manuscript on the article as its next revision, and tell that the run is completed."""
    picture = manuscript.picture
    with writing_as(claim) as (pen, run):
        pen.set(
            outline=manuscript.outline.model_dump(mode="json"),
            seo_meta=manuscript.seo.model_dump(mode="json") if manuscript.seo else None,
            research_data=manuscript.research_data(),
            references=[reference.model_dump(mode="json") for reference in manuscript.references],
            image=picture.name if picture else "",
            image_alt=picture.alt if picture else "",
            notice=notice,
            completed_at=timezone.now(),
        )
        pen.save_text(manuscript.title, manuscript.content, by=None, run=run)
        cited = len(manuscript.references)
        message = f"{pen.article.word_count:,} words, {cited} reference{'' if cited == 1 else 's'}"
        pen.change_status(run, Status.COMPLETED, message, finished_at=timezone.now(), lease_expires_at=None)


def fail_run(claim: Claim, reason: str) -> None:
    """End a run with the reason a person can act on. What is done stays, and a retry goes on from there."""
    with writing_as(claim) as (pen, run):
        pen.change_status(run, Status.FAILED, reason, reason=reason, finished_at=timezone.now(), lease_expires_at=None)
