"""The context of a run, which every stage gets, and helpers to run steps concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

from agents.contract import Brief, Outline, Passage, PicturePrompt, Reading, Stage
from agents.crew.assignments import Assignment, Reply
from agents.exceptions import AgentError, ModelError, ProviderUnavailable, SpendingLimitReached
from agents.llm.preview import PreviewSink
from agents.pipeline.steps import Journal, Output, StepKey, StepSpec
from agents.text.length import LengthCalibration
from agents.text.shared_prompt import article_block, brief_block, plan_block

Result = TypeVar("Result")
Second = TypeVar("Second")


class Crew(Protocol):
    """Answers assignments; implemented by ``agents.crew.crew.StudioCrew``."""

    async def ask(self, assignment: Assignment[Reply], preview: PreviewSink | None = None) -> Reply: ...


@dataclass(frozen=True)
class RunDependencies:
    """What a run needs from outside.

    ``read`` takes the brief and its questions; ``illustrate`` returns an image and the name of the model that drew it.
    ``searches`` says whether ``read`` searches the web; ``reading_tokens`` is how much of the reading fits into a prompt.
    """

    crew: Crew
    has_model: bool
    searches: bool
    reading_tokens: int
    read: Callable[[Brief, Sequence[str]], Awaitable[Reading]]
    illustrate: Callable[[Brief, Outline, PicturePrompt], Awaitable[tuple[bytes, str]]]


CACHE_SECONDS = 2.0
"""The longest a call waits for another one with the same start, so that the provider can serve the start from its cache."""


@dataclass
class RunContext:
    """A run in progress. ``planned`` is the number of steps each stage is expected to have.

    ``passages`` are those shown in every prompt, ``start`` is the block that all prompts begin with.
    """

    brief: Brief
    journal: Journal
    dependencies: RunDependencies
    today: date = field(default_factory=date.today)
    calibration: LengthCalibration = field(default_factory=LengthCalibration)
    planned: dict[Stage, int] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    passages: list[Passage] = field(default_factory=list)
    start: str = ""
    _answering: dict[tuple[str, ...], asyncio.Event] = field(default_factory=dict)

    @property
    def has_model(self) -> bool:
        return self.dependencies.has_model

    def show(self, reading: Reading, passages: Sequence[Passage]) -> None:
        """Begin every further prompt with the brief and ``passages``."""
        self.reading, self.passages = reading, list(passages)
        self.start = brief_block(self.brief, self.today, passages, reading)

    @cached_property
    def passages_by_id(self) -> dict[str, Passage]:
        return {passage.id: passage for passage in self.reading.passages}

    @cached_property
    def passages_with_heads(self) -> dict[str, Passage]:
        """The passages by id, each with title, publisher and date of its source, for checks: a text may name these."""
        heads = {
            source.number: f"{source.title}. {source.publisher}, {source.author}, {source.date}, {source.date[:4]}"
            for source in self.reading.sources
        }
        return {
            passage.id: passage.model_copy(update={"text": f"{passage.text}\n{heads.get(passage.source, '')}"})
            for passage in self.reading.passages
        }

    def shared(self, outline: Outline | None = None, texts: Sequence[str] = (), lead: str = "") -> tuple[str, ...]:
        """The blocks a prompt begins with, always in this order, so that calls share as long a start as possible."""
        blocks = [self.start or brief_block(self.brief, self.today)]
        if outline:
            blocks.append(article_block(outline, lead, texts) if texts else plan_block(outline))
        return tuple(filter(None, blocks))

    async def ask(self, assignment: Assignment[Reply], preview: PreviewSink | None = None) -> Reply:
        """The answer to ``assignment``.

        The first call with a new start of the prompt goes ahead; others with the same start wait until its answer begins,
        because only then providers have the start in their cache.
        """
        start = assignment.shared
        if not start or not self.has_model:
            return await self.dependencies.crew.ask(assignment, preview)
        answering = self._answering.get(start)
        if answering is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CACHE_SECONDS):
                    await answering.wait()
            return await self.dependencies.crew.ask(assignment, preview)
        answering = self._answering[start] = asyncio.Event()

        async def begun(offset: int, text: str) -> None:
            answering.set()
            if preview:
                await preview(offset, text)

        try:
            return await self.dependencies.crew.ask(assignment, begun)
        finally:
            answering.set()

    async def plan(self, **steps: int) -> None:
        """Set the expected number of steps of some stages, for the progress."""
        self.planned |= cast(dict[Stage, int], steps)
        await self.journal.plan(self.planned)

    async def once(
        self,
        key: StepKey,
        output: type[Output],
        perform: Callable[[], Awaitable[Output]],
        doing: str,
        done: Callable[[Output], str],
    ) -> Output:
        return await self.journal.once(StepSpec(key=key, output=output, perform=perform, doing=doing, done=done))

    def preview(self, key: StepKey) -> PreviewSink:
        """Shows watchers what step ``key`` is writing."""

        async def show(offset: int, text: str) -> None:
            await self.journal.draft(key, offset, text)

        return show


async def run_concurrently(*parts: Coroutine[Any, Any, Result]) -> list[Result]:
    """Their results, in order. Raises the most serious failure, see ``Severity``.

    If a part fails, the others are finished first: what they make is stored and need not be requested again. After a permanent
    failure of the model they are cancelled, because their calls would fail as well.
    """
    tasks = [asyncio.ensure_future(part) for part in parts]

    def stop_others(task: asyncio.Task[Result]) -> None:
        if any(severity(error) == Severity.PERMANENT for error in failures_of([task])):
            for other in tasks:
                other.cancel()

    for task in tasks:
        task.add_done_callback(stop_others)
    await asyncio.gather(*tasks, return_exceptions=True)  # which passes a cancellation on to all levels at once
    if failures := failures_of(tasks):
        raise max(failures, key=severity)
    return [task.result() for task in tasks]


class Severity(IntEnum):
    """How much a failure matters beside others: a run that is paused or waits can still be completed, a failed one cannot."""

    TEMPORARY = 1
    OUTAGE = 2
    PERMANENT = 3
    SPENDING_LIMIT = 4
    UNEXPECTED = 5  # a bug, or the loss of the run's lease


def severity(error: BaseException) -> Severity:
    match error:
        case SpendingLimitReached():
            return Severity.SPENDING_LIMIT
        case ModelError(permanent=True):
            return Severity.PERMANENT
        case ProviderUnavailable():
            return Severity.OUTAGE
        case AgentError():
            return Severity.TEMPORARY
    return Severity.UNEXPECTED


def failures_of(tasks: Iterable[asyncio.Task[Any]]) -> list[BaseException]:
    return [error for task in tasks if not task.cancelled() and (error := task.exception())]


async def run_both(one: Coroutine[Any, Any, Result], other: Coroutine[Any, Any, Second]) -> tuple[Result, Second]:
    """Like ``run_concurrently``, for two parts of different kinds."""
    return cast("tuple[Result, Second]", tuple(await run_concurrently(one, other)))


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
