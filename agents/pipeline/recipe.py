"""The recipe: how a brief becomes a manuscript, step by step.

The journal performs each step once and reads back what is done, so a resumed run continues at the first step without an output.
Research and outline come first, then the image and all sections concurrently, a review, and per section an edit and the
evidence check; the search description is written during the last checks.
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
from agents.pipeline.write import ROUNDS, resize, write
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
from agents.text.quoting import new_boundary

__all__ = ["Crew", "RunDependencies", "produce"]


async def produce(brief: Brief, journal: Journal, dependencies: RunDependencies) -> Manuscript:
    """Returns the finished manuscript. It can be called again after any exception and continues with the first open step.

    Raises AgentError if the brief cannot be met, ApprovalRequired if a person has to approve the outline first, and
    SpendingLimitReached if the next call could exceed the limit.
    """
    with new_boundary():
        return await _produce(RunContext(brief, journal, dependencies))


async def _produce(context: RunContext) -> Manuscript:
    brief, has_model = context.brief, context.dependencies.has_model
    await plan(context)
    material = await research(context)
    outline, findings = await run_both(make_outline(context, material), synthesise(context, material))
    await plan(context, sections=len(outline.sections))
    reading = material.reading
    texts, (picture, problem) = await run_both(write(context, outline, reading), illustrate(context, outline))
    checked, seo = await edit_and_check(context, outline, reading, texts)
    checked = await correct_length(context, outline, reading, checked)
    final_texts = [text.markdown for text in checked]
    content, references = compile_references(assemble(outline, final_texts), reading)
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
        repeated=repeated_sections(final_texts),
        foreign=foreign_sections(final_texts, brief.language) if has_model else [],
    )
    check_complete(brief, manuscript, has_model=has_model)
    return manuscript.model_copy(update={"notices": notices(brief, manuscript, has_model=has_model)})


async def plan(context: RunContext, sections: int = 0) -> None:
    """Announce the number of steps of each stage; before the outline is made, for an estimated number of sections."""
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


async def edit_and_check(
    context: RunContext, outline: Outline, reading: Reading, texts: list[str]
) -> tuple[list[CheckedText], SEO | None]:
    """The sections edited and their evidence checked, and the search description.

    Each section is checked as soon as it is edited. The description starts when all are edited, during the last checks.
    """
    remarks = await review(context, outline, texts)
    numbers = range(1, len(texts) + 1)
    edited: dict[int, str] = {}
    edits_ended = asyncio.Event()

    async def edit_then_check(number: int) -> CheckedText:
        text = await edit_section(context, outline, reading, number, texts[number - 1], remarks.get(number, []))
        edited[number] = text
        if len(edited) == len(texts):
            edits_ended.set()
        return await check_section(context, outline, reading, number, text)

    async def all_checked() -> list[CheckedText]:
        try:
            return await run_concurrently(*map(edit_then_check, numbers))
        finally:
            edits_ended.set()

    async def described() -> SEO | None:
        await edits_ended.wait()
        if len(edited) < len(texts):
            return None  # an edit failed, and its error ends the run
        return await describe(context, outline, [edited[number] for number in numbers])

    return await run_both(all_checked(), described())


async def correct_length(
    context: RunContext, outline: Outline, reading: Reading, checked: list[CheckedText]
) -> list[CheckedText]:
    """Resizes and checks a few sections if editing took the article too far from its length."""
    wanted = [section.words for section in outline.sections]
    for attempt in range(1, ROUNDS + 1):
        again = sections_to_resize([count_words(text.markdown) for text in checked], wanted, FINAL_BOUNDS)
        if not again or not context.dependencies.has_model:
            break
        await context.plan(edit=context.planned["edit"] + 2 * len(again))
        parts = (
            resize_and_check(context, outline, reading, number, checked[number - 1], words, attempt)
            for number, words in again.items()
        )
        resized = dict(zip(again, await run_concurrently(*parts), strict=True))
        checked = [resized.get(number, text) for number, text in enumerate(checked, 1)]
    return checked


async def resize_and_check(
    context: RunContext, outline: Outline, reading: Reading, number: int, checked: CheckedText, words: int, attempt: int
) -> CheckedText:
    """Section ``number`` at about ``words`` words, with evidence for what is new."""
    key = StepKey("edit", "length", number, attempt)
    text = await resize(context, outline, reading, number, checked.markdown, words, key)
    if text == checked.markdown:
        return checked
    key = StepKey("edit", "evidence", number, attempt + 1)
    return await check_section(context, outline, reading, number, text, key, checked)
