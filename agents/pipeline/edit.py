"""Editing: the whole article is reviewed once, then only the sections the review names are revised."""

from __future__ import annotations

from functools import partial

from agents.contract import Outline, Reading, Remark, Review, SectionText
from agents.crew import assignments
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.steps import StepKey
from agents.pipeline.write import is_sound, keeps_citations, length_message, repaired
from agents.prompts import config
from agents.text.length import EDIT_BOUNDS, is_within
from agents.text.manuscript import repeated_sections, section_passages
from agents.text.markdown import count_words
from agents.text.voices import avoided_words_in

REMARKS = 3
"""Remarks a review is asked for at most."""


async def review(context: RunContext, outline: Outline, texts: list[str]) -> dict[int, list[Remark]]:
    """Section (from 1) → what to revise in it."""
    made = await context.once(
        StepKey("edit", "review"),
        Review,
        lambda: context.ask(assignments.review(context.brief, outline, texts)),
        "Reviewing the whole article",
        lambda made: f"Article reviewed, {pluralize(len(made.remarks), 'remark')}",
    )
    remarks: dict[int, list[Remark]] = {}
    for remark in (*made.remarks, *remarks_by_code(context, texts)):
        if remark.section <= len(texts):
            remarks.setdefault(remark.section, []).append(remark)
    await context.plan(edit=1 + len(remarks) + len(texts))
    return remarks


def remarks_by_code(context: RunContext, texts: list[str]) -> list[Remark]:
    """Remarks that need no model: sections that repeat each other, words the voice avoids."""
    if not context.dependencies.has_model:
        return []
    messages = config("remarks")
    remarks = [
        Remark(section=other, kind="repetition", instruction=messages["repetition"].format(section=one))
        for one, other in repeated_sections(texts)
    ]
    for number, text in enumerate(texts, 1):
        if words := avoided_words_in(text, context.brief.voice):
            instruction = messages["avoided"].format(words=", ".join(words))
            remarks.append(Remark(section=number, kind="tone", instruction=instruction))
    return remarks


async def edit_section(
    context: RunContext, outline: Outline, reading: Reading, number: int, text: str, remarks: list[Remark]
) -> str:
    """The section revised according to ``remarks``; unchanged if the model returned something else than an edit."""
    if not remarks:
        return text
    key, heading = StepKey("edit", "section", number), outline.sections[number - 1].heading
    passages = section_passages(outline, number, reading, also=text)
    words = count_words(text)
    requested = context.calibration.words_to_request(words)

    async def perform() -> SectionText:
        first = assignments.edit_section(context.brief, outline, number, text, remarks, passages, requested)
        repair = partial(assignments.rewrite_section, context.brief, outline, number, passages)
        edited = await repaired(context, key, first, repair, requested, words, reading, EDIT_BOUNDS)
        return SectionText(markdown=edited if is_an_edit(context, text, edited) else text)

    made = await context.once(key, SectionText, perform, f"Revising “{heading}”", length_message(heading, "revised"))
    return made.markdown


def is_an_edit(context: RunContext, text: str, edited: str) -> bool:
    """Whether ``edited`` has about the length of ``text`` and kept its language, its end and its citations."""
    if not context.dependencies.has_model:
        return True
    language = context.brief.language
    kept = is_sound(edited, language) or not is_sound(text, language)
    return kept and keeps_citations(edited, text) and is_within(count_words(edited), count_words(text), EDIT_BOUNDS)
