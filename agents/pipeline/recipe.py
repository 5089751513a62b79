"""The recipe: how a brief becomes a manuscript, step by step.

Each step is done once: the journal recalls what is done and performs what is not, so a resumed run goes on at the first
step without an output. Research, outline, then the image beside the sections, all sections side by side, review, edits side
by side, and SEO beside the evidence check.
"""

from __future__ import annotations

import asyncio

from agents.contract import SEO, Brief, CheckedText, Manuscript, Outline, Reading
from agents.pipeline.context import Crew, RunContext, RunDependencies, run_both, run_concurrently
from agents.pipeline.edit import REMARKS, edit_section, review
from agents.pipeline.evidence import check_section
from agents.pipeline.image import illustrate
from agents.pipeline.outline import make_outline
from agents.pipeline.research import QUESTIONS, research, synthesise
from agents.pipeline.seo import describe
from agents.pipeline.steps import Journal, StepKey
from agents.pipeline.write import ROUNDS, adjust, write
from agents.text.citations import compile_references
from agents.text.length import FINAL_BOUNDS, sections_to_resize
from agents.text.manuscript import (
    assemble,
    check_complete,
    foreign_sections,
    notices,
    repeated_sections,
    section_count,
)
from agents.text.markdown import count_words

__all__ = ["Crew", "RunDependencies", "produce"]


async def produce(brief: Brief, journal: Journal, dependencies: RunDependencies) -> Manuscript:
    """Returns the finished manuscript.

    Raises AgentError if the brief cannot be met, ApprovalRequired if a person has to approve the outline first, and
    SpendingLimitReached if the next call could exceed the limit. The recipe can be run again and continues from there.
    """
    context = RunContext(brief, journal, dependencies)
    await plan(context)
    material = await research(context)
    outline, findings = await run_both(make_outline(context, material), synthesise(context, material))
    await plan(context, sections=len(outline.sections))
    reading = material.reading
    texts, (picture, problem) = await run_both(write(context, outline, reading), illustrate(context, outline))
    checked, seo = await finish(context, outline, reading, texts)
    content, references = compile_references(assemble(outline, [text.markdown for text in checked]), reading)
    manuscript = Manuscript(
        title=outline.title,
        content=content,
        outline=outline,
        seo=seo,
        picture=picture,
        picture_problem=problem,
        reading=reading,
        findings=findings,
        questions=material.questions,
        references=references,
        evidence=[row for text in checked for row in text.evidence],
        repeated=repeated_sections([text.markdown for text in checked]),
        foreign=foreign_sections([text.markdown for text in checked], brief.language) if dependencies.has_model else [],
    )
    check_complete(brief, manuscript, has_model=dependencies.has_model)
    return manuscript.model_copy(update={"notices": notices(brief, manuscript, has_model=dependencies.has_model)})


async def plan(context: RunContext, sections: int = 0) -> None:
    """What each stage will take. Before the outline is made, as many sections as the length needs are counted with."""
    brief = context.brief
    known = {} if sections else {"research": 3 + QUESTIONS, "outline": 1 + section_count(brief)}
    sections = sections or section_count(brief)
    await context.plan(
        **known,
        write=sections,
        edit=1 + min(REMARKS, sections) + sections,
        seo=int(brief.seo_optimize),
        image=2 * brief.include_image,
    )


async def finish(
    context: RunContext, outline: Outline, reading: Reading, texts: list[str]
) -> tuple[list[CheckedText], SEO | None]:
    """The sections mended and their evidence checked, and the description of the article.

    A section that needs no mending is checked at once; the description begins when all are mended, beside the last checks.
    """
    remarks = await review(context, outline, texts)
    edits = [
        asyncio.create_task(edit_section(context, outline, reading, number, text, remarks.get(number, [])))
        for number, text in enumerate(texts, 1)
    ]

    async def mended_and_checked(number: int) -> CheckedText:
        return await check_section(context, outline, reading, number, await edits[number - 1])

    async def mended_and_described() -> SEO | None:
        await asyncio.wait(edits)
        return await describe(context, outline, [edit.result() for edit in edits])

    async def all_checked() -> list[CheckedText]:  # its parts are made where they are awaited, also in a cancelled run
        return await run_concurrently(*(mended_and_checked(number) for number in range(1, len(texts) + 1)))

    checked, seo = await run_both(all_checked(), mended_and_described())
    return await settle_length(context, outline, reading, checked), seo


async def settle_length(
    context: RunContext, outline: Outline, reading: Reading, checked: list[CheckedText]
) -> list[CheckedText]:
    """Where mending and rewording took the article too far from its length, a few sections are brought back, and checked."""
    wanted = [section.words for section in outline.sections]
    for turn in range(1, ROUNDS + 1):
        again = sections_to_resize([count_words(text.markdown) for text in checked], wanted, FINAL_BOUNDS)
        if not again or not context.dependencies.has_model:
            break
        await context.plan(edit=context.planned["edit"] + 2 * len(again))
        parts = (
            brought_back(context, outline, reading, number, checked[number - 1], words, turn)
            for number, words in again.items()
        )
        settled = dict(zip(again, await run_concurrently(*parts), strict=True))
        checked = [settled.get(number, text) for number, text in enumerate(checked, 1)]
    return checked


async def brought_back(
    context: RunContext, outline: Outline, reading: Reading, number: int, checked: CheckedText, words: int, turn: int
) -> CheckedText:
    """Section ``number`` at about ``words`` words, what is new of it checked; ``turn`` counts how often from 1."""
    text = await adjust(
        context, outline, reading, number, checked.markdown, words, StepKey("edit", "length", number, turn)
    )
    if text == checked.markdown:
        return checked
    return await check_section(
        context, outline, reading, number, text, StepKey("edit", "evidence", number, turn + 1), checked
    )
