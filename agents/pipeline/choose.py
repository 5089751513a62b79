"""Two drafts: one follows the outline, the other one is structured by its writer alone. A chief editor chooses between them.

Which of two drafts of the same model is better differs from article to article, and neither has everything. The better one is
kept, and its editors learn what the other one does better.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from agents.contract import Advice, Choice, DraftVerdicts, Edits, Outline, OutlineSection, SectionText
from agents.crew import assignments
from agents.exceptions import ModelError, ProviderUnavailable
from agents.pipeline.context import RunContext, pluralize
from agents.pipeline.steps import StepKey
from agents.pipeline.write import Draft, body_words, clean, has_second_draft, is_sound
from agents.prompts import prompt_texts
from agents.text.cleanup import clean_heading
from agents.text.draft_sections import headings_of, numbered, opening_of, sections_of
from agents.text.headings import HEADING, TITLE
from agents.text.language import is_in_language
from agents.text.length import is_within
from agents.text.markdown import count_words
from agents.text.planning import distribute_words

log = logging.getLogger(__name__)

SECOND, CHOOSE = StepKey("write", "second"), StepKey("edit", "choose")

BOUNDS = 0.7, 1.5
"""A second draft outside these shares of the requested words is not considered."""


async def write_freely(context: RunContext) -> Draft | None:
    """A draft with a structure of its own; None if it cannot be used. Not streamed: the page shows the first one meanwhile."""
    if not has_second_draft(context):
        return None
    problem = ""

    async def perform() -> SectionText:
        nonlocal problem
        try:
            answer = await context.ask(assignments.write_article(context.shared(), context.brief))
        except ProviderUnavailable:  # the first draft cannot go on either: the run waits
            raise
        except ModelError as error:
            if error.permanent:
                raise
            log.warning("the article has no second draft: %s", error)
            problem = str(error)
            return SectionText(markdown="")
        return SectionText(markdown=numbered(answer))

    made = await context.once(
        SECOND,
        SectionText,
        perform,
        "Writing a second draft",
        lambda made: (
            f"Second draft written, {pluralize(count_words(made.markdown), 'word')}"
            if made.markdown
            else f"No second draft: {problem}"
        ),
    )
    return draft_of(context, made.markdown)


def draft_of(context: RunContext, markdown: str) -> Draft | None:
    """The draft with the outline that follows from its headings; None if a section is missing or the language is wrong."""
    brief, (title, lead), headings = context.brief, opening_of(markdown), headings_of(markdown)
    texts = [clean(text, context.reading) for text in sections_of(markdown, len(headings))]
    counts = [count_words(text) for text in texts]
    names = [clean_heading(headings[number]) for number in sorted(headings)]
    title, lead = clean_heading(title), clean(lead, context.reading)
    if len(texts) < 2 or not all(counts) or not all(HEADING.low <= len(name) <= HEADING.high for name in names):
        return None
    if not TITLE.low <= len(title) <= TITLE.high or not is_within(sum(counts), brief.min_words, BOUNDS):
        return None
    if not is_sound(texts[-1], brief.language) or is_in_language("\n\n".join(texts), brief.language) is False:
        return None
    shares = distribute_words(counts, body_words(brief.min_words, len(counts)))
    sections = [OutlineSection(heading=name, words=words) for name, words in zip(names, shares, strict=True)]
    return Draft(Outline(title=title, sections=sections), lead if is_sound(lead, brief.language) else "", texts)


async def choose(context: RunContext, first: Draft, second: Draft | None) -> tuple[Draft, list[Advice]]:
    """The better draft, and what its editors should know: what the other one does better, and what is wrong in this one."""
    if second is None:
        return first, []
    if not await context.journal.recall(CHOOSE, Choice) and await is_being_edited(context, first):
        return first, []
    texts = [as_text(first), as_text(second)]

    async def perform() -> Choice:
        return await context.ask(assignments.choose_draft(context.shared(), context.brief, texts))

    made = await context.once(
        CHOOSE,
        Choice,
        perform,
        "Choosing between two drafts",
        lambda made: f"Draft {made.better} chosen: {made.reason}",
    )
    second = replace(second, outline=second.outline.model_copy(update={"answer": first.outline.answer}))
    return (first if made.better == 1 else second), list(advice(made))


async def is_being_edited(context: RunContext, first: Draft) -> bool:
    """Whether an older version, which wrote one draft, has begun to edit it: its edits are for the sections of that draft."""
    for number in range(1, len(first.texts) + 1):
        verdicts = await context.journal.recall(StepKey("edit", "verdicts", number), DraftVerdicts)
        if verdicts or await context.journal.recall(StepKey("edit", "revise", number), Edits):
            return True
    return False


def advice(choice: Choice) -> Iterator[Advice]:
    messages = prompt_texts("measurements")
    for kind, advices in (("wrong", choice.wrong), ("take_over", choice.take_over)):
        for each in advices:
            yield Advice(section=each.section, what=messages[kind].format(what=each.what))


def as_text(draft: Draft) -> str:
    outline = draft.outline
    pairs = enumerate(zip(outline.sections, draft.texts, strict=True), 1)
    sections = (f"## {number}. {section.heading}\n\n{text}" for number, (section, text) in pairs)
    return "\n\n".join([f"# {outline.title}", draft.lead, *sections])
