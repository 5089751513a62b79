"""Editing: the article is reviewed with everything in view, and the remarks are carried out as replacements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from agents.contract import Edits, Finding, Outline, Passage, Remark, Replacement, Review, ReviewAnswer, SectionText
from agents.crew import assignments
from agents.crew.assignments import Assignment
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.steps import StepKey
from agents.pipeline.write import clean, is_sound
from agents.prompts import config
from agents.text.arithmetic import check_arithmetic
from agents.text.citations import cited_ids, uncited_sources
from agents.text.evidence import cited_sentences, compare_with_passages
from agents.text.length import SECTIONS_PER_GROUP, is_within
from agents.text.manuscript import repeated_sections
from agents.text.markdown import count_words
from agents.text.numbers import known_values
from agents.text.replacing import replaced
from agents.text.voices import avoided_words_in

WHOLE_REMARKS, GROUP_REMARKS = 4, 3
LENGTH_NOTICED = 0.9, 1.12
EDITED_BOUNDS = 0.5, 1.4
"""An edit outside these shares of the text it edits did something else than it was asked for."""


async def review(
    context: RunContext, outline: Outline, findings: list[Finding], texts: list[str]
) -> dict[int, list[Remark]]:
    """Section (from 1) → what to change in it. One reviewer reads the whole, others each read a few sections closely."""
    if not context.has_model:
        return {}
    count = len(texts)
    groups = section_groups(count) if count > SECTIONS_PER_GROUP else []
    measured = list(measurements(context, outline, findings, texts))
    await context.plan(edit=1 + len(groups) + 2 * count + 2)
    shared = context.shared(findings, outline, texts)
    whole = StepKey("edit", "review"), assignments.review(shared, outline, range(1, count + 1), measured, WHOLE_REMARKS)
    closely = [
        (StepKey("edit", "review", number), assignments.review(shared, outline, group, measured, GROUP_REMARKS))
        for number, group in enumerate(groups, 1)
    ]
    reviews = await run_concurrently(*(reviewed(context, key, each) for key, each in (whole, *closely)))
    remarks: dict[int, list[Remark]] = defaultdict(list)
    for each in reviews:
        for remark in each.remarks:
            if 1 <= remark.section <= count:
                remarks[remark.section].append(remark)
    await context.plan(edit=1 + len(groups) + len(remarks) + count + 2)
    return dict(remarks)


def section_groups(count: int) -> list[list[int]]:
    """The numbers of ``count`` sections in groups of about SECTIONS_PER_GROUP."""
    groups = -(-count // SECTIONS_PER_GROUP)
    bounds = [count * at // groups for at in range(groups + 1)]
    return [list(range(start + 1, end + 1)) for start, end in pairwise(bounds)]


async def reviewed(context: RunContext, key: StepKey, assignment: Assignment[ReviewAnswer]) -> Review:
    async def perform() -> Review:
        made = await context.ask(assignment)
        return Review(remarks=[Remark(**remark.model_dump()) for remark in made.remarks])

    doing = "Reviewing some sections closely" if key.section else "Reviewing the whole article"
    done = "Sections reviewed" if key.section else "Article reviewed"
    return await context.once(
        key, Review, perform, doing, lambda made: f"{done}, {pluralize(len(made.remarks), 'remark')}"
    )


def measurements(
    context: RunContext, outline: Outline, findings: Sequence[Finding], texts: Sequence[str]
) -> Iterator[str]:
    """What code can see, as sentences for the reviewers."""
    messages, passages = config("remarks"), context.passages_with_heads
    figures = known_values(passage.text for passage in context.passages)
    counts = [count_words(text) for text in texts]
    wanted = [section.words for section in outline.sections]
    yield messages["total"].format(count=sum(counts), words=sum(wanted))
    for number, (count, words) in enumerate(zip(counts, wanted, strict=True), 1):
        if not is_within(count, words, LENGTH_NOTICED):
            yield messages["length"].format(section=number, count=count, words=words)
    for one, other in repeated_sections(texts):
        yield messages["repetition"].format(one=one, other=other)
    for number, text in enumerate(texts, 1):
        if avoided := avoided_words_in(text, context.brief.voice):
            yield messages["avoided"].format(section=number, words=", ".join(avoided))
        yield from unsupported(number, text, passages)
        for problem in check_arithmetic(text, figures):
            yield messages["arithmetic"].format(section=number, sentence=problem.sentence, reason=problem.message)
    cited = {id for text in texts for id in cited_ids(text)}
    for source in uncited_sources(context.reading, cited):
        yield messages["uncited"].format(source=source.number, title=source.title)
    left_out = {each.finding for each in outline.dismissed}
    for finding in findings:
        if finding.sources and finding.number not in left_out and not cited.intersection(finding.sources):
            yield messages["finding"].format(number=finding.number, statement=finding.statement)


def unsupported(number: int, text: str, passages: dict[str, Passage]) -> Iterator[str]:
    """The sentences of section ``number`` that code finds wrong."""
    for sentence in cited_sentences(text):
        compared = compare_with_passages(sentence, passages)
        if compared and compared[0] == "not":
            yield config("remarks")["unsupported"].format(section=number, sentence=sentence.plain, reason=compared[1])


async def edit_section(
    context: RunContext, outline: Outline, findings: list[Finding], number: int, text: str, remarks: list[Remark]
) -> str:
    """The section with ``remarks`` carried out; unchanged if what the model returned is no edit."""
    if not remarks:
        return text
    key, heading = StepKey("edit", "section", number), outline.sections[number - 1].heading
    applied = 0

    async def perform() -> SectionText:
        nonlocal applied
        words = outline.sections[number - 1].words
        shared = context.shared(findings, outline)
        made = await context.ask(assignments.edit_section(shared, context.brief, outline, number, text, remarks, words))
        edited, applied = with_replacements(text, made, context)
        return SectionText(markdown=edited)

    return (
        await context.once(
            key,
            SectionText,
            perform,
            f"Revising “{heading}”",
            lambda made: f"“{heading}” revised, {pluralize(applied, 'change')}",
        )
    ).markdown


def with_replacements(text: str, made: Edits, context: RunContext) -> tuple[str, int]:
    """``text`` with the replacements that can be made, and their number."""
    edited, applied = text, 0
    for each in made.replacements:
        changed = replaced(edited, each.find, cleaned(each, context))
        if changed is not None and is_an_edit(text, changed, context.brief.language):
            edited, applied = changed, applied + 1
    return edited, applied


def cleaned(replacement: Replacement, context: RunContext) -> str:
    """What is put in, without marks of passages that were not read."""
    return clean(replacement.put, context.reading) if replacement.put.strip() else ""


def is_an_edit(text: str, edited: str, language: str) -> bool:
    kept = is_sound(edited, language) or not is_sound(text, language)
    return kept and is_within(count_words(edited), count_words(text), EDITED_BOUNDS)
