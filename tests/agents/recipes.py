"""Shared by the tests of the recipe: a brief, something to read, a journal in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from agents.contract import Brief, Outline, Passage, PicturePrompt, Reading, Source, Stage
from agents.pipeline.recipe import Crew, RunDependencies
from agents.pipeline.steps import StepKey, StepSpec
from tests.model_server import PIXEL

TEXT = (
    "Flat roofs are the largest unused surface of most cities. A planted roof holds 60 % of a summer's rain. "
    "The rooms below a planted roof stay several degrees cooler in July. A saturated bed weighs as much as a small car. "
    "An engineer has to look at the beams before the first sack of soil is carried up. "
)
BRIEF = Brief(topic="Rooftop gardens in cities", min_words=600)


def reading(passages: int = 4) -> Reading:
    source = Source(number=1, title="City roofs surveyed", read_at=datetime(2026, 11, 22, tzinfo=UTC), sha256="0" * 64)
    texts = [f"{TEXT} This is observation number {number} of the survey." for number in range(1, passages + 1)]
    made = [Passage(id=f"S{n}", source=1, start=0, end=len(text), text=text) for n, text in enumerate(texts, 1)]
    return Reading(sources=[source], passages=made)


@dataclass
class MemoryJournal:
    """Remembers what was done, as the stored journal does."""

    done: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    skipped: list[Stage] = field(default_factory=list)
    planned: dict[Stage, int] = field(default_factory=dict)
    drafts: Counter[str] = field(default_factory=Counter)
    shown: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    async def once(self, step: StepSpec[Any]) -> Any:
        done = await self.recall(step.key, step.output)
        if done is not None:
            return done
        output = await step.perform()
        self.done[str(step.key)] = output.model_dump(mode="json")
        self.messages[str(step.key)] = step.done(output)
        return output

    async def recall(self, key: StepKey, output: type[Any]) -> Any:
        return output.model_validate(self.done[str(key)]) if str(key) in self.done else None

    async def skip(self, stage: Stage, reason: str) -> None:
        self.skipped.append(stage)

    async def plan(self, steps: Mapping[Stage, int]) -> None:
        self.planned = dict(steps)

    async def draft(self, key: StepKey, offset: int, text: str) -> None:
        self.drafts[str(key)] += 1
        self.shown[str(key)] = self.shown.get(str(key), "")[:offset] + text

    async def keep_file(self, name: str, data: bytes) -> str:
        self.files[name] = data
        return name

    def steps(self, stage: str) -> list[str]:
        return [key for key in self.done if key.startswith(f"{stage}:")]


def dependencies(
    crew: Crew, read: Reading | None = None, picture: Exception | None = None, has_model: bool = True
) -> RunDependencies:
    async def read_it(brief: Brief, questions: Sequence[str]) -> Reading:
        return read if read is not None else reading()

    async def illustrate(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
        if picture:
            raise picture
        return PIXEL, "test-image"

    return RunDependencies(crew=crew, has_model=has_model, read=read_it, illustrate=illustrate)
