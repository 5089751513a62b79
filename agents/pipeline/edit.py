"""Editing: the draft is read as a whole, against its sources, and sentence by sentence; remarks become replacements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agents.contract import Edits, Finding, Outline, Remark, Replacement, Review, ReviewAnswer, SectionText
from agents.crew import assignments
from agents.crew.assignments import Assignment
from agents.crew.assignments.writing import sections_text
from agents.pipeline.context import RunContext, pluralize, run_both, run_concurrently
from agents.pipeline.evidence import KnownVerdicts, judge_draft, known_verdicts, remarks_from
from agents.pipeline.research import source_groups
from agents.pipeline.steps import StepKey
from agents.pipeline.write import is_sound
from agents.prompts import config
from agents.text.arithmetic import check_arithmetic
from agents.text.citations import cited_ids, strip_stray_citations, strip_unknown_marks, uncited_sources
from agents.text.cleanup import clean_fragment, clean_heading
from agents.text.headings import HEADING
from agents.text.length import MOST_MISSING, WORDS_PER_MISSING, is_within, parts_of
from agents.text.manuscript import repeated_sections
from agents.text.markdown import count_words
from agents.text.numbers import known_values
from agents.text.replacing import replaced
from agents.text.source_weaknesses import weaknesses
from agents.text.voices import avoided_words_in

LENGTH_NOTICED = 0.9, 1.12
EDITED_BOUNDS = 0.5, 1.4
"""An edit outside these shares of the text it edits did something else than it was asked for."""

REVIEWING = {
    "review": ("Reviewing the article", "Article reviewed"),
    "use": ("Reading the article as its readers", "Article read as its readers"),
    "missing": ("Looking for what the article lacks", "Sources compared with the article"),
}
"""The messages of the readings while they run, and when they are done."""

QUOTED = 25
"""The characters of a quotation by which its place is found: further on the text may have a mark."""


async def review(
    context: RunContext, outline: Outline, findings: list[Finding], texts: list[str]
) -> tuple[list[Remark], KnownVerdicts]:
    """What to change, in the order of the text, and the verdicts on the sentences of the draft.

    One reviewer reads the article as its editor, one as those who will use it, others go through the sources for what it lacks,
    and every sentence is judged.
    """
    if not context.has_model:
        return [], {}
    groups, most = reading_groups(context, outline)
    parts = parts_of([section.words for section in outline.sections])
    judges = len(parts) * bool(context.passages)
    await context.plan(edit=2 + len(groups) + judges + len(parts) + 2 * len(texts) + 2)
    shared = context.shared(findings, outline, texts)
    measured, unused = list(measurements(context, outline, texts)), unused_material(context, outline, findings, texts)
    most_remarks = 2 + len(texts) // 4
    readings = [
        (StepKey("edit", "review"), assignments.review(shared, outline, measured, most_remarks)),
        (StepKey("edit", "use"), assignments.review_use(shared, outline, most_remarks)),
    ]
    for number, sources in enumerate(groups, 1):
        key = StepKey("edit", "missing", number)
        readings.append((key, assignments.find_missing(shared, outline, sources, len(groups), most, unused)))
    reviews, judged = await run_both(
        run_concurrently(*(reviewed(context, key, each) for key, each in readings)),
        judge_draft(context, outline, texts, parts),
    )
    remarks = in_order([*(remark for each in reviews for remark in each.remarks), *remarks_from(judged)], texts)
    return remarks, known_verdicts(judged)


def reading_groups(context: RunContext, outline: Outline) -> tuple[list[list[int]], int]:
    """The sources in groups, one for each reader who looks for what is missing, and the most that each may name."""
    groups = source_groups(context.passages) if context.passages else []
    count = max(sum(section.words for section in outline.sections) // WORDS_PER_MISSING, 1)
    if not groups or count <= MOST_MISSING:
        return [[source for group in groups for source in group]] if groups else [], count
    return groups, min(-(-count // len(groups)), MOST_MISSING)


def in_order(remarks: Iterable[Remark], texts: Sequence[str]) -> list[Remark]:
    """The remarks on sections that exist, in the order of what they quote."""

    def place(remark: Remark) -> tuple[int, int]:
        text = texts[remark.section - 1]
        at = text.find(remark.quote[:QUOTED]) if remark.quote else -1
        return remark.section, at if at >= 0 else len(text)

    return sorted((remark for remark in remarks if 1 <= remark.section <= len(texts)), key=place)


async def reviewed(context: RunContext, key: StepKey, assignment: Assignment[ReviewAnswer]) -> Review:
    async def perform() -> Review:
        made = await context.ask(assignment)
        return Review(remarks=[Remark(**remark.model_dump()) for remark in made.remarks])

    doing, done = REVIEWING[key.kind]
    return await context.once(
        key, Review, perform, doing, lambda made: f"{done}, {pluralize(len(made.remarks), 'remark')}"
    )


def measurements(context: RunContext, outline: Outline, texts: Sequence[str]) -> Iterator[str]:
    """What code can see, as sentences for the reviewer of the whole."""
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
    yield from source_weaknesses(context, texts)
    for number, text in enumerate(texts, 1):
        if avoided := avoided_words_in(text, context.brief.voice):
            yield messages["avoided"].format(section=number, words=", ".join(avoided))
        for problem in check_arithmetic(text, figures):
            yield messages["arithmetic"].format(section=number, sentence=problem.sentence, reason=problem.message)


def source_weaknesses(context: RunContext, texts: Sequence[str]) -> Iterator[str]:
    """What readers have to know of each cited source: that it has an interest, is second-hand or old."""
    message, sections = config("remarks")["weakness"], dict[int, int]()
    source_of = {passage.id: passage.source for passage in context.reading.passages}
    for number, text in enumerate(texts, 1):
        for id in cited_ids(text):
            sections.setdefault(source_of[id], number)
    for source in context.reading.sources:
        if source.number in sections and (about := weaknesses(source, context.today)):
            yield message.format(
                source=source.number, title=source.title, section=sections[source.number], about=", ".join(about)
            )


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


async def edit(
    context: RunContext, outline: Outline, findings: list[Finding], texts: list[str], remarks: Sequence[Remark]
) -> tuple[Outline, list[str]]:
    """The outline and the sections with ``remarks`` carried out. One editor revises a part, with the whole article in view."""
    parts = parts_of([section.words for section in outline.sections])
    wanted = [(numbers, [remark for remark in remarks if remark.section in numbers]) for numbers in parts]
    revised = await run_concurrently(
        *(revise(context, outline, findings, texts, numbers, of_part) for numbers, of_part in wanted if of_part)
    )
    outline, replacements = with_headings(context, outline, [each for part in revised for each in part.replacements])
    changed = {each.section for each in replacements}
    if planned := context.planned.get("edit"):
        await context.plan(edit=planned - (len(parts) - len(revised)) - (len(texts) - len(changed)))
    edited = []
    for number, text in enumerate(texts, 1):
        of_section = [each for each in replacements if each.section == number]
        if of_section:
            text = await apply(context, outline, number, text, of_section)
        elif older := await context.journal.recall(StepKey("edit", "section", number), SectionText):
            text = older.markdown
        edited.append(text)
    return outline, edited


def with_headings(
    context: RunContext, outline: Outline, replacements: Sequence[Replacement]
) -> tuple[Outline, list[Replacement]]:
    """The outline with the headings that are replaced, and the other replacements. What a person approved stays."""
    headings = [section.heading for section in outline.sections]
    others = []
    for each in replacements:
        if clean_heading(each.find).casefold() != headings[each.section - 1].casefold():
            others.append(each)
        elif (
            not context.brief.approve_outline and HEADING.low <= len(heading := clean_heading(each.put)) <= HEADING.high
        ):
            headings[each.section - 1] = heading
    sections = [
        section.model_copy(update={"heading": heading})
        for section, heading in zip(outline.sections, headings, strict=True)
    ]
    return outline.model_copy(update={"sections": sections}), others


async def revise(
    context: RunContext,
    outline: Outline,
    findings: list[Finding],
    texts: list[str],
    numbers: Sequence[int],
    remarks: Sequence[Remark],
) -> Edits:
    """The replacements in the sections ``numbers`` (from 1)."""
    count = sum(count_words(texts[number - 1]) for number in numbers)
    words = sum(outline.sections[number - 1].words for number in numbers)
    lengths = config("writing")["lengths"]["fits" if count < words else "full"].format(count=count, words=words)

    async def perform() -> Edits:
        shared = context.shared(findings, outline, texts)
        made = await context.ask(assignments.revise_sections(shared, context.brief, outline, numbers, remarks, lengths))
        return made.model_copy(update={"replacements": [each for each in made.replacements if each.section in numbers]})

    return await context.once(
        StepKey("edit", "revise", numbers[0]),
        Edits,
        perform,
        f"Revising {sections_text(outline, numbers)}",
        lambda made: f"{pluralize(len(remarks), 'remark')}, {pluralize(len(made.replacements), 'change')}",
    )


async def apply(
    context: RunContext, outline: Outline, number: int, text: str, replacements: Sequence[Replacement]
) -> str:
    """Section ``number`` (from 1) with the replacements that can be made; one that is no edit is left out."""
    applied = 0

    async def perform() -> SectionText:
        nonlocal applied
        edited = text
        for each in replacements:
            changed = replaced(edited, each.find, cleaned(each, context))
            if changed is not None and is_an_edit(text, changed, context.brief.language):
                edited, applied = changed, applied + 1
        return SectionText(markdown=edited)

    heading = outline.sections[number - 1].heading
    return (
        await context.once(
            StepKey("edit", "section", number),
            SectionText,
            perform,
            f"Revising “{heading}”",
            lambda made: f"“{heading}” revised, {pluralize(applied, 'change')}",
        )
    ).markdown


def cleaned(replacement: Replacement, context: RunContext) -> str:
    """What is put in, without marks of passages that were not read."""
    known = {passage.id for passage in context.reading.passages}
    return strip_stray_citations(strip_unknown_marks(clean_fragment(replacement.put), known))


def is_an_edit(text: str, edited: str, language: str) -> bool:
    kept = is_sound(edited, language) or not is_sound(text, language)
    return kept and is_within(count_words(edited), count_words(text), EDITED_BOUNDS)
