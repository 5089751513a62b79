"""The context of a run, which every stage gets, and helpers to run steps concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol, TypeVar, cast

from agents.contract import Brief, Outline, PicturePrompt, Reading, Stage
from agents.crew.assignments import Assignment, Reply
from agents.exceptions import AgentError, ModelError, ProviderUnavailable, SpendingLimitReached
from agents.llm.preview import PreviewSink
from agents.pipeline.steps import Journal, Output, StepKey, StepSpec
from agents.text.length import LengthCalibration

Result = TypeVar("Result")
Second = TypeVar("Second")


class Crew(Protocol):
    """Answers assignments; implemented by ``agents.crew.crew.StudioCrew``."""

    async def ask(self, assignment: Assignment[Reply], preview: PreviewSink | None = None) -> Reply: ...


@dataclass(frozen=True)
class RunDependencies:
    """What a run needs from outside.

    ``read`` takes the brief and its questions; ``illustrate`` returns an image and the name of the model that drew it.
    """

    crew: Crew
    has_model: bool
    read: Callable[[Brief, Sequence[str]], Awaitable[Reading]]
    illustrate: Callable[[Brief, Outline, PicturePrompt], Awaitable[tuple[bytes, str]]]


@dataclass
class RunContext:
    """A run in progress. ``planned`` is the number of steps each stage is expected to have."""

    brief: Brief
    journal: Journal
    dependencies: RunDependencies
    calibration: LengthCalibration = field(default_factory=LengthCalibration)
    planned: dict[Stage, int] = field(default_factory=dict)

    async def ask(self, assignment: Assignment[Reply], preview: PreviewSink | None = None) -> Reply:
        return await self.dependencies.crew.ask(assignment, preview)

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
