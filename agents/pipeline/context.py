"""What every stage works at: the brief, the journal, and the dependencies of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from agents.contract import Brief, Outline, PicturePrompt, Reading, Stage
from agents.crew.assignments import Assignment, Reply
from agents.pipeline.steps import Journal, Output, StepKey, StepSpec
from agents.text.length import LengthCalibration

Result = TypeVar("Result")
Second = TypeVar("Second")
DraftCallback = Callable[[int, str], Awaitable[None]]


class Crew(Protocol):
    """Who answers assignments: ``agents.crew.crew.StudioCrew``."""

    async def ask(self, assignment: Assignment[Reply], draft: DraftCallback | None = None) -> Reply: ...


@dataclass(frozen=True)
class RunDependencies:
    """What a run works with. ``read`` takes the brief and its questions; ``illustrate`` gives a picture, and who drew it."""

    crew: Crew
    has_model: bool
    read: Callable[[Brief, Sequence[str]], Awaitable[Reading]]
    illustrate: Callable[[Brief, Outline, PicturePrompt], Awaitable[tuple[bytes, str]]]


@dataclass
class RunContext:
    """One run at work. ``planned`` is how many steps each stage will have, as far as is known by now."""

    brief: Brief
    journal: Journal
    dependencies: RunDependencies
    calibration: LengthCalibration = field(default_factory=LengthCalibration)
    planned: dict[Stage, int] = field(default_factory=dict)

    async def ask(self, assignment: Assignment[Reply], draft: DraftCallback | None = None) -> Reply:
        return await self.dependencies.crew.ask(assignment, draft)

    async def plan(self, **steps: int) -> None:
        """Tell how many steps a stage will have, so that progress can be counted."""
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

    def draft(self, key: StepKey) -> DraftCallback:
        """Where watchers are shown what step ``key`` is writing."""

        async def show(offset: int, text: str) -> None:
            await self.journal.draft(key, offset, text)

        return show


async def run_concurrently(*parts: Coroutine[Any, Any, Result]) -> list[Result]:
    """Their results, in order. Where one fails the others are finished first: what they made is stored and not asked again."""
    results = await asyncio.gather(*parts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[Result]", results)


async def run_both(one: Coroutine[Any, Any, Result], other: Coroutine[Any, Any, Second]) -> tuple[Result, Second]:
    """Like ``run_concurrently``, for two parts of different kinds."""
    return cast("tuple[Result, Second]", tuple(await run_concurrently(one, other)))


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
