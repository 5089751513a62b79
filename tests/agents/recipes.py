"""Shared by the tests of the recipe: a brief, something to read, a journal in memory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from agents.contract import Brief, Outline, OutlineSection, Passage, PicturePrompt, Reading, Source, Stage
from agents.pipeline.context import RunContext
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
    crew: Crew,
    read: Reading | None = None,
    picture: Exception | None = None,
    *,
    has_model: bool = True,
    searches: bool = False,
    reading_tokens: int = 16_000,
) -> RunDependencies:
    """``searches`` only says that the web is searched: what is read is ``read``, or a survey of four passages."""

    async def read_it(brief: Brief, questions: Sequence[str]) -> Reading:
        return read if read is not None else reading()

    async def illustrate(brief: Brief, outline: Outline, prompt: PicturePrompt) -> tuple[bytes, str]:
        if picture:
            raise picture
        return PIXEL, "test-image"

    return RunDependencies(
        crew=crew,
        has_model=has_model,
        searches=searches,
        reading_tokens=reading_tokens,
        read=read_it,
        illustrate=illustrate,
    )


def make_context(
    crew: Crew, read: Reading | None = None, journal: MemoryJournal | None = None, **brief: Any
) -> RunContext:
    """A run of BRIEF with the fields of ``brief``, to which all passages of ``read`` are shown."""
    read = read or reading()
    context = RunContext(
        BRIEF.model_copy(update=brief), journal or MemoryJournal(), dependencies(crew, read), today=date(2026, 11, 30)
    )
    context.show(read, read.passages)
    return context


def outline_of(*headings: str, words: int = 200, **fields: Any) -> Outline:
    """An outline of sections with these headings; ``fields`` are those of each section."""
    sections = [OutlineSection(heading=heading, purpose="Why.", words=words, **fields) for heading in headings]
    return Outline(title="Roofs of the city", answer="Roofs hold rain.", sections=sections)


def plan_of(
    *headings: str,
    title: str = "What roofs can do for a city",
    answer: str = "Roofs hold rain. Weight decides.",
) -> str:
    """The answer of a model that plans these sections."""
    sections = [
        {"heading": heading, "purpose": f"What follows from it, part {at}."} for at, heading in enumerate(headings, 1)
    ]
    return json.dumps({"answer": answer, "title": title, "sections": sections}, ensure_ascii=False)


def older_plan_of(
    *headings: str, findings: Sequence[Sequence[int]] = (), dismissed: Mapping[int, str] = {}
) -> dict[str, Any]:
    """``outline:plan`` as older versions stored it: with forms, lengths and findings of these sections."""
    sections = [
        {
            "heading": heading,
            "purpose": f"What follows from it, part {at + 1}.",
            "form": "prose",
            "words": 200,
            "findings": list(findings[at]) if findings else [],
        }
        for at, heading in enumerate(headings)
    ]
    left_out = [{"finding": number, "reason": reason} for number, reason in dismissed.items()]
    return {
        "answer": "Roofs hold rain. Weight decides.",
        "position": "Begin with the load.",
        "title": "What roofs can do for a city",
        "questions": [{"question": "What does it weigh?", "section": 1}],
        "terms": [{"term": "saturated", "section": 1}],
        "sections": sections,
        "dismissed": left_out,
    }


def found(*statements: str, kind: str = "claim", sources: Sequence[str] = ("S1",)) -> str:
    """The answer of a model that finds ``statements``."""
    findings = [{"statement": each, "kind": kind, "date": "", "sources": list(sources)} for each in statements]
    return json.dumps({"findings": findings}, ensure_ascii=False)


def draft_of(*texts: str, first: int = 1, opening: str = "") -> str:
    """The answer of a writer: the sections from ``first``, each below its heading, and what stands above them."""
    sections = [f"## {number}. Heading {number}\n\n{text}" for number, text in enumerate(texts, first)]
    return "\n\n".join([*([opening] if opening else []), *sections])


def edits(*pairs: tuple[str, str], section: int = 1) -> str:
    """The answer of an editor who replaces the first of each pair by the second."""
    replacements = [{"section": section, "find": find, "put": put} for find, put in pairs]
    return json.dumps({"replacements": replacements}, ensure_ascii=False)


def sentences_judged(*verdicts: str, instead: str = "") -> str:
    """The answer of a judge; ``instead`` is the wording for what is not supported."""
    judged = {f"s{at}": verdict for at, verdict in enumerate(verdicts, 1)}
    rewordings = [
        {"sentence": at, "instead": instead} for at, verdict in enumerate(verdicts, 1) if verdict != "supported"
    ]
    return json.dumps({**judged, "rewordings": rewordings}, ensure_ascii=False)
