"""Editing: the draft is read as a whole, against its sources, and sentence by sentence; remarks become replacements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from agents.contract import Edits, Finding, Outline, Remark, Replacement, Review, ReviewAnswer, SectionText
from agents.crew import assignments
from agents.crew.assignments import Assignment
from agents.pipeline.context import RunContext, pluralize, run_both, run_concurrently
from agents.pipeline.evidence import KnownVerdicts, judge_draft, known_verdicts, remarks_from
from agents.pipeline.research import source_groups
from agents.pipeline.steps import StepKey
from agents.pipeline.write import clean, is_sound
from agents.prompts import config
from agents.text.arithmetic import check_arithmetic
from agents.text.citations import cited_ids, uncited_sources
from agents.text.length import is_within, with_room
from agents.text.manuscript import repeated_sections
from agents.text.markdown import count_words
from agents.text.numbers import known_values
from agents.text.replacing import replaced
from agents.text.voices import avoided_words_in

LENGTH_NOTICED = 0.9, 1.12
EDITED_BOUNDS = 0.5, 1.4
"""An edit outside these shares of the text it edits did something else than it was asked for."""

WORDS_PER_MISSING = 150
"""One thing that is missing may be named for so many words of the article."""

MOST_MISSING = 9
"""The most that one reader names; the sources of a longer article are shared by several readers."""


Remarks = dict[int, list[Remark]]
"""Section (from 1) → what to change in it, in the order of its text."""


async def review(
    context: RunContext, outline: Outline, findings: list[Finding], texts: list[str]
) -> tuple[Remarks, KnownVerdicts]:
    """What to change, and the verdicts on the sentences of the draft.

    One reviewer reads the article as a whole, others go through the sources for what it lacks, and every sentence is judged.
    A section in which only sentences have to be reworded has no remarks: their rewordings are made when it is checked.
    """
    if not context.has_model:
        return {}, {}
    count = len(texts)
    groups = source_groups(context.passages) if context.passages else []
    asked = sum(section.words for section in outline.sections) // WORDS_PER_MISSING
    if groups and asked <= MOST_MISSING:
        groups = [[source for group in groups for source in group]]
    checks = count * bool(context.passages)
    await context.plan(edit=1 + len(groups) + checks + 2 * count + 2)
    shared = context.shared(findings, outline, texts)
    measured, unused = measurements(context, outline, texts), unused_material(context, outline, findings, texts)
    readings = [(StepKey("edit", "review"), assignments.review(shared, outline, measured, whole_remarks(count)))]
    for number, sources in enumerate(groups, 1):
        most = min(-(-asked // len(groups)), MOST_MISSING)
        key = StepKey("edit", "missing", number)
        readings.append((key, assignments.find_missing(shared, outline, sources, len(groups), most, unused)))
    reviews, judged = await run_both(
        run_concurrently(*(reviewed(context, key, each) for key, each in readings)),
        judge_draft(context, outline, texts),
    )
    remarks = by_section((remark for each in reviews for remark in each.remarks), remarks_from(judged), texts)
    await context.plan(edit=1 + len(groups) + checks + len(remarks) + count + 2)
    return remarks, known_verdicts(judged)


def whole_remarks(sections: int) -> int:
    """How many remarks the reviewer of the whole may make."""
    return 4 + sections // 3


def by_section(remarks: Iterable[Remark], judged: Remarks, texts: Sequence[str]) -> Remarks:
    """The remarks of the reviewers by section, with those on single sentences for sections that are edited anyway."""
    found: Remarks = defaultdict(list)
    for remark in remarks:
        if 1 <= remark.section <= len(texts):
            found[remark.section].append(remark)

    def place(remark: Remark) -> int:
        at = texts[remark.section - 1].find(remark.quote[:40])
        return at if at >= 0 else len(texts[remark.section - 1])

    return {number: sorted([*each, *judged.get(number, [])], key=place) for number, each in sorted(found.items())}


async def reviewed(context: RunContext, key: StepKey, assignment: Assignment[ReviewAnswer]) -> Review:
    async def perform() -> Review:
        made = await context.ask(assignment)
        return Review(remarks=[Remark(**remark.model_dump()) for remark in made.remarks])

    doing = "Looking for what the article lacks" if key.kind == "missing" else "Reviewing the article"
    done = "Sources compared with the article" if key.kind == "missing" else "Article reviewed"
    return await context.once(
        key, Review, perform, doing, lambda made: f"{done}, {pluralize(len(made.remarks), 'remark')}"
    )


def measurements(context: RunContext, outline: Outline, texts: Sequence[str]) -> list[str]:
    """What code can see, as sentences for the reviewer of the whole."""
    return list(_measurements(context, outline, texts))


def _measurements(context: RunContext, outline: Outline, texts: Sequence[str]) -> Iterator[str]:
    messages = config("remarks")
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
        for problem in check_arithmetic(text, figures):
            yield messages["arithmetic"].format(section=number, sentence=problem.sentence, reason=problem.message)


def unused_material(
    context: RunContext, outline: Outline, findings: Sequence[Finding], texts: Sequence[str]
) -> list[str]:
    """The sources and findings that are cited nowhere, as sentences for who looks for what is missing."""
    messages = config("remarks")
    cited = {id for text in texts for id in cited_ids(text)}
    left_out = {each.finding for each in outline.dismissed}
    uncited = [
        messages["uncited"].format(source=source.number, title=source.title)
        for source in uncited_sources(context.reading, cited)
    ]
    return uncited + [
        messages["finding"].format(number=finding.number, statement=finding.statement)
        for finding in findings
        if finding.sources and finding.number not in left_out and not cited.intersection(finding.sources)
    ]


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
        words = with_room(outline.sections[number - 1].words)
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
