"""Editing: one reading of the whole article, then only the sections it names are mended; the others stay byte for byte."""

from __future__ import annotations

from functools import partial

from agents.contract import Outline, Reading, Remark, Review, SectionText
from agents.crew import assignments
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.steps import StepKey
from agents.pipeline.write import controlled, sound, still_cites, told_length
from agents.prompts import config
from agents.text.length import EDIT_BOUNDS, is_within
from agents.text.manuscript import repeated_sections, section_passages
from agents.text.markdown import count_words
from agents.text.voices import avoided_words_in

REMARKS = 3
"""What a review is asked for at most."""


async def review(context: RunContext, outline: Outline, texts: list[str]) -> dict[int, list[Remark]]:
    """Section (from 1) → what to mend in it."""
    made = await context.once(
        StepKey("edit", "review"),
        Review,
        lambda: context.ask(assignments.review(context.brief, outline, texts)),
        "Reading the whole article",
        lambda made: pluralize(len(made.remarks), "remark"),
    )
    remarks: dict[int, list[Remark]] = {}
    for remark in (*made.remarks, *remarks_by_code(context, texts)):
        if remark.section <= len(texts):
            remarks.setdefault(remark.section, []).append(remark)
    await context.plan(edit=1 + len(remarks) + len(texts))
    return remarks


def remarks_by_code(context: RunContext, texts: list[str]) -> list[Remark]:
    """What no reading is needed for: sections that repeat each other, words the voice avoids."""
    if not context.dependencies.has_model:
        return []
    words = config("remarks")
    twice = [
        Remark(section=other, kind="repetition", instruction=words["repetition"].format(section=one))
        for one, other in repeated_sections(texts)
    ]
    avoided_words = [(number, avoided_words_in(text, context.brief.voice)) for number, text in enumerate(texts, 1)]
    return twice + [
        Remark(section=number, kind="tone", instruction=words["avoided"].format(words=", ".join(found)))
        for number, found in avoided_words
        if found
    ]


async def edit_section(
    context: RunContext, outline: Outline, reading: Reading, number: int, text: str, remarks: list[Remark]
) -> str:
    """The section as ``remarks`` ask; as it is where what came back is something else than an edit of it."""
    if not remarks:
        return text
    passages = section_passages(outline, number, reading, also=text)
    words = count_words(text)
    asked = context.calibration.words_to_request(words)

    async def perform() -> SectionText:
        first = assignments.edit_section(context.brief, outline, number, text, remarks, passages, asked)
        again = partial(assignments.rewrite_section, context.brief, outline, number, passages)
        edited = await controlled(
            context, StepKey("edit", "section", number), first, again, asked, words, reading, EDIT_BOUNDS
        )
        return SectionText(markdown=edited if is_an_edit(context, text, edited) else text)

    heading = outline.sections[number - 1].heading
    return (
        await context.once(
            StepKey("edit", "section", number), SectionText, perform, f"Mending “{heading}”", told_length
        )
    ).markdown


def is_an_edit(context: RunContext, text: str, edited: str) -> bool:
    """Whether ``edited`` is of about the length of ``text``, and lost neither its language, its end nor its citations."""
    if not context.dependencies.has_model:
        return True
    language = context.brief.language
    kept = sound(edited, language) or not sound(text, language)
    return kept and still_cites(edited, text) and is_within(count_words(edited), count_words(text), EDIT_BOUNDS)
