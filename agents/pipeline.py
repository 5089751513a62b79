"""The recipe: how a brief becomes a manuscript, step by step.

Each step is done once: the journal recalls what is done and performs what is not, so a resumed run goes on at the first
step without an output. Research, outline, then the image beside the sections, all sections side by side, review, edits side
by side, SEO.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

from agents import assignments
from agents.assignments import Assignment, Reply
from agents.citations import compile_references, strip_unknown
from agents.contract import (
    SEO,
    Brief,
    Findings,
    Manuscript,
    Outline,
    Picture,
    PicturePrompt,
    Questions,
    Reading,
    Review,
    Stage,
    Text,
)
from agents.exceptions import AgentError
from agents.images import suffix
from agents.manuscript import (
    assemble,
    check,
    fit_seo,
    notices,
    section_count,
    section_passages,
    section_text,
    shortlist,
)
from agents.steps import Journal, Output, StepSpec

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Second = TypeVar("Second")
Draft = Callable[[int, str], Awaitable[None]]

MOST_EDITS = 3
"""Sections a review may name: it is asked for at most three remarks."""


class Crew(Protocol):
    """Who answers assignments: ``agents.crew.StudioCrew``."""

    async def ask(self, assignment: Assignment[Reply], draft: Draft | None = None) -> Reply: ...


@dataclass(frozen=True)
class Means:
    """What a run works with. ``read`` takes the brief and its questions; ``illustrate`` gives a picture, and who drew it."""

    crew: Crew
    has_model: bool
    read: Callable[[Brief, Sequence[str]], Awaitable[Reading]]
    illustrate: Callable[[Brief, Outline, PicturePrompt], Awaitable[tuple[bytes, str]]]


async def produce(brief: Brief, journal: Journal, means: Means) -> Manuscript:
    """The finished manuscript. Raises AgentError, with its reason, where the brief cannot be met."""
    run = Production(brief, journal, means)
    await run.plan(sections=section_count(brief))
    questions, reading, findings = await run.research()
    outline = await run.outline(reading, findings)
    await run.plan(sections=len(outline.sections))
    texts, (picture, problem) = await both(run.write(outline, reading), run.picture(outline))
    texts = await run.edit(outline, reading, texts)
    seo = await run.seo(outline, texts)
    content, references = compile_references(assemble(outline, texts), reading)
    manuscript = Manuscript(
        title=outline.title,
        content=content,
        outline=outline,
        seo=seo,
        picture=picture,
        picture_problem=problem,
        reading=reading,
        findings=findings,
        questions=questions.questions,
        references=references,
    )
    check(brief, manuscript, has_model=means.has_model)
    return manuscript.model_copy(update={"notices": notices(brief, manuscript, has_model=means.has_model)})


class Production:
    """One run of the recipe; its methods are the stages."""

    def __init__(self, brief: Brief, journal: Journal, means: Means) -> None:
        self.brief, self.journal, self.means = brief, journal, means
        self.ask = means.crew.ask

    async def plan(self, sections: int, edits: int = MOST_EDITS) -> None:
        image, seo = (2 if self.brief.include_image else 0), (1 if self.brief.seo_optimize else 0)
        steps: dict[Stage, int] = {"research": 3, "outline": 1, "write": sections, "edit": 1 + min(edits, sections)}
        await self.journal.plan(steps | {"seo": seo, "image": image})

    async def research(self) -> tuple[Questions, Reading, Findings]:
        brief = self.brief
        questions = await self.once(
            "research:plan",
            Questions,
            lambda: self.ask(assignments.plan_research(brief)),
            "Working out what to ask",
            lambda made: counted(len(made.questions), "question"),
        )
        reading = await self.once(
            "research:read",
            Reading,
            lambda: self.means.read(brief, questions.questions),
            "Searching and reading",
            lambda made: f"{counted(len(made.sources), 'source')} read, {counted(len(made.passages), 'passage')} kept",
        )
        findings = await self.once(
            "research:findings",
            Findings,
            lambda: self.find(questions, reading),
            "Noting what the sources say",
            lambda made: counted(len(made.findings), "finding"),
        )
        return questions, reading, findings

    async def find(self, questions: Questions, reading: Reading) -> Findings:
        if not reading.passages:
            return Findings(synthesis="", findings=[])
        passages = shortlist(reading, [self.brief.topic, *questions.questions])
        return await self.ask(assignments.find(self.brief, questions, passages))

    async def outline(self, reading: Reading, findings: Findings) -> Outline:
        sections = section_count(self.brief)
        passages = shortlist(reading, [self.brief.topic, *(finding.statement for finding in findings.findings)])
        return await self.once(
            "outline:make",
            Outline,
            lambda: self.ask(assignments.make_outline(self.brief, findings, reading, passages, sections)),
            f"Planning {sections} sections",
            lambda made: f"“{made.title}”, {counted(len(made.sections), 'section')}",
        )

    async def write(self, outline: Outline, reading: Reading) -> list[str]:
        words = round(self.brief.min_words * 1.05 / len(outline.sections))
        numbers = range(1, len(outline.sections) + 1)
        return await side_by_side(*(self.write_section(outline, reading, number, words) for number in numbers))

    async def write_section(self, outline: Outline, reading: Reading, number: int, words: int) -> str:
        passages = section_passages(outline, number, reading)
        asked = assignments.write_section(self.brief, outline, number, reading, passages, words)
        return await self.text(f"write:{number}", asked, reading, f"Writing “{outline.sections[number - 1].heading}”")

    async def edit(self, outline: Outline, reading: Reading, texts: list[str]) -> list[str]:
        """Sections a remark names are mended; the others stay byte for byte."""
        review = await self.once(
            "edit:review",
            Review,
            lambda: self.ask(assignments.review(self.brief, outline, texts)),
            "Reading the whole article",
            lambda made: counted(len(made.remarks), "remark"),
        )
        named = sorted({remark.section for remark in review.remarks if remark.section <= len(texts)})
        await self.plan(sections=len(texts), edits=len(named))
        edits = (self.edit_section(outline, reading, number, texts[number - 1], review) for number in named)
        mended = dict(zip(named, await side_by_side(*edits), strict=True))
        return [mended.get(number, text) for number, text in enumerate(texts, 1)]

    async def edit_section(self, outline: Outline, reading: Reading, number: int, text: str, review: Review) -> str:
        remarks = [remark for remark in review.remarks if remark.section == number]
        passages = section_passages(outline, number, reading, also=text)
        asked = assignments.edit_section(self.brief, outline, number, text, remarks, passages)
        return await self.text(f"edit:{number}", asked, reading, f"Mending “{outline.sections[number - 1].heading}”")

    async def text(self, key: str, asked: Assignment[str], reading: Reading, doing: str) -> str:
        """A step that writes: shown as it comes; marks of passages that do not exist are taken out before it is stored."""
        known = {passage.id for passage in reading.passages}

        async def draft(offset: int, text: str) -> None:
            await self.journal.draft(key, offset, text)

        async def perform() -> Text:
            return Text(markdown=strip_unknown(section_text(await self.ask(asked, draft)), known))

        made = await self.once(key, Text, perform, doing, lambda made: counted(len(made.markdown.split()), "word"))
        return made.markdown

    async def seo(self, outline: Outline, texts: list[str]) -> SEO | None:
        if not self.brief.seo_optimize:
            await self.journal.skip("seo", "The brief asks for no SEO")
            return None

        async def perform() -> SEO:
            return fit_seo(await self.ask(assignments.describe_seo(self.brief, outline, texts)))

        return await self.once("seo:describe", SEO, perform, "Describing it for search", lambda made: f"“{made.title}”")

    async def picture(self, outline: Outline) -> tuple[Picture | None, str]:
        """The picture, or why there is none: an article can do without one, so its failure is told and the run goes on."""
        if not self.brief.include_image:
            await self.journal.skip("image", "The brief asks for no image")
            return None, ""
        try:
            return await self.draw(outline), ""
        except AgentError as error:
            log.warning("the article has no image: %s", error)
            return None, str(error)

    async def draw(self, outline: Outline) -> Picture:
        prompt = await self.once(
            "image:prompt",
            PicturePrompt,
            lambda: self.ask(assignments.picture_prompt(self.brief, outline)),
            "Choosing a picture",
            lambda made: made.alt,
        )

        async def perform() -> Picture:
            data, drawn_by = await self.means.illustrate(self.brief, outline, prompt)
            name = await self.journal.keep_file(f"cover{suffix(data)}", data)
            return Picture(name=name, alt=prompt.alt, prompt=prompt.prompt, drawn_by=drawn_by)

        return await self.once(
            "image:draw", Picture, perform, "Drawing the picture", lambda made: f"Drawn by {made.drawn_by}"
        )

    async def once(
        self,
        key: str,
        output: type[Output],
        perform: Callable[[], Awaitable[Output]],
        doing: str,
        done: Callable[[Output], str],
    ) -> Output:
        return await self.journal.once(StepSpec(key=key, output=output, perform=perform, doing=doing, done=done))


async def side_by_side(*parts: Coroutine[Any, Any, Result]) -> list[Result]:
    """Their results, in order. Where one fails the others are finished first: what they made is stored and not asked again."""
    results = await asyncio.gather(*parts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[Result]", results)


async def both(one: Coroutine[Any, Any, Result], other: Coroutine[Any, Any, Second]) -> tuple[Result, Second]:
    """Like ``side_by_side``, for two parts of different kinds."""
    return cast("tuple[Result, Second]", tuple(await side_by_side(one, other)))


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
