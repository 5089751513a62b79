"""Editing: the draft is compared with its sources as a whole and sentence by sentence, and improved by replacements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from agents.contract import Advice, Choice, Edits, Finding, Outline, Replacement, SectionText
from agents.crew import assignments
from agents.crew.assignments.writing import sections_text
from agents.pipeline.context import RunContext, pluralize, run_both, run_concurrently
from agents.pipeline.evidence import KnownVerdicts, judge_draft, known_verdicts, name_of
from agents.pipeline.steps import StepKey
from agents.pipeline.write import Draft, is_sound
from agents.prompts import config, prompt_texts
from agents.text.arithmetic import check_arithmetic
from agents.text.citations import cited_ids, strip_stray_citations, strip_unknown_marks, uncited_sources
from agents.text.cleanup import clean_fragment, clean_heading
from agents.text.headings import HEADING, TITLE
from agents.text.length import EDITED_SHARE, parts_of
from agents.text.manuscript import repeated_sections
from agents.text.markdown import count_words
from agents.text.numbers import known_values
from agents.text.replacing import replaced
from agents.text.source_weaknesses import weaknesses
from agents.text.voices import avoided_words_in

MOST_UNUSED = 9
"""Findings that editors see: with more, they try to squeeze all of them in."""

LEAST_EDITED, MOST_EDITED, MOST_ADDED = 0.5, 1.5, 80
"""An edit that leaves less of a section than a share, or makes it longer than a share and by more words, is none."""


async def improve(
    context: RunContext, draft: Draft, findings: Sequence[Finding], advice: Sequence[Advice] = ()
) -> tuple[Draft, KnownVerdicts]:
    """The text after its editors' replacements, and the verdicts on the sentences of the draft.

    ``advice`` comes from the chief editor.

    One editor works at each part, with the whole article and all sources in view; every sentence is judged meanwhile.
    """
    if not context.has_model:
        return draft, {}
    outline, texts = draft.outline, draft.texts
    parts = parts_of([section.words for section in outline.sections])
    has_check = bool(context.passages)
    has_choice = await context.journal.recall(StepKey("edit", "choose"), Choice) is not None
    others = has_choice + 1 + has_check * (len(parts) + 1)  # choice, proofreading, verdicts and frame
    others += 2 * (len(texts) + 1)  # edits and evidence
    await context.plan(edit=len(parts) + others)
    measured = [*measurements(context, texts), *unused_material(context, findings, [draft.lead, *texts])]
    improved, judged = await run_both(
        run_concurrently(
            *(improve_part(context, draft, numbers, [*advice_for(numbers, advice), *measured]) for numbers in parts)
        ),
        judge_draft(context, outline, texts, parts),
    )
    outline, replacements = with_headings(context, outline, [each for part in improved for each in part.replacements])
    changed = {each.section for each in replacements}
    await context.plan(edit=len(parts) + others - (len(texts) + 1 - len(changed)))
    edited = []
    for number, text in enumerate([draft.lead, *texts]):
        if number in changed:
            of_section = [each for each in replacements if each.section == number]
            text = await apply(context, outline, number, text, of_section)
        elif older := await context.journal.recall(StepKey("edit", "section", number), SectionText):
            text = older.markdown
        edited.append(text)
    return Draft(outline, edited[0], edited[1:]), known_verdicts(judged)


async def proofread(context: RunContext, draft: Draft) -> Draft:
    """The draft as corrected by one editor who reads all of it after the others: these worked side by side."""
    if not context.has_model:
        return draft

    async def perform() -> Edits:
        shared = context.shared(draft.outline, draft.texts, draft.lead)
        words = sum(section.words for section in draft.outline.sections)
        made = await context.ask(assignments.proofread(shared, context.brief, words))
        return Edits(replacements=[each for each in made.replacements if 0 <= each.section <= len(draft.texts)])

    made = await context.once(
        StepKey("edit", "proofread"),
        Edits,
        perform,
        "Proofreading",
        lambda made: f"Proofread, {pluralize(len(made.replacements), 'change')}",
    )
    outline, replacements = with_headings(context, draft.outline, made.replacements)
    changed = {each.section for each in replacements}
    await context.plan(edit=context.planned.get("edit", 0) + len(changed))
    edited = []
    for number, text in enumerate([draft.lead, *draft.texts]):
        if of_section := [each for each in replacements if each.section == number]:
            text = await apply(context, outline, number, text, of_section, kind="corrected")
        edited.append(text)
    return Draft(outline, edited[0], edited[1:])


def advice_for(numbers: Sequence[int], advice: Sequence[Advice]) -> list[str]:
    """What is advised for the sections ``numbers``, and for the introduction if the first is among them."""
    return [each.what for each in advice if max(each.section, 1) in numbers]


async def improve_part(context: RunContext, draft: Draft, numbers: Sequence[int], measured: Sequence[str]) -> Edits:
    """The replacements in the sections ``numbers`` (from 1); in the introduction as well if the first is among them."""
    outline, editable = draft.outline, {*numbers, *([0] if 1 in numbers else [])}
    count = sum(count_words(draft.texts[number - 1]) for number in numbers)
    words = round(EDITED_SHARE * sum(outline.sections[number - 1].words for number in numbers))
    lengths = config("writing")["lengths"]["fits" if count < words else "full"].format(count=count, words=words)

    async def perform() -> Edits:
        shared = context.shared(outline, draft.texts, draft.lead)
        made = await context.ask(
            assignments.improve_sections(shared, context.brief, outline, numbers, measured, lengths)
        )
        return Edits(replacements=[each for each in made.replacements if each.section in editable])

    which = sections_text(outline, numbers)
    return await context.once(
        StepKey("edit", "revise", numbers[0]),
        Edits,
        perform,
        f"Improving {which}",
        lambda made: f"{which.capitalize()} improved, {pluralize(len(made.replacements), 'change')}",
    )


def measurements(context: RunContext, texts: Sequence[str]) -> Iterator[str]:
    """What code can see in the article, as sentences for its editors."""
    messages = config("measurements")
    figures = known_values(passage.text for passage in context.passages)
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
    message, sections = config("measurements")["weakness"], dict[int, int]()
    source_of = {passage.id: passage.source for passage in context.reading.passages}
    for number, text in enumerate(texts, 1):
        for id in cited_ids(text):
            sections.setdefault(source_of[id], number)
    for source in context.reading.sources:
        if source.number in sections and (about := weaknesses(source, context.today)):
            yield message.format(
                source=source.number, title=source.title, section=sections[source.number], about=", ".join(about)
            )


def unused_material(context: RunContext, findings: Sequence[Finding], texts: Sequence[str]) -> list[str]:
    """The sources that are cited nowhere, and some findings that are not used, as sentences for the editors."""
    cited = {id for text in texts for id in cited_ids(text)}
    uncited = [
        config("measurements")["uncited"].format(source=source.number, title=source.title)
        for source in uncited_sources(context.reading, cited)
    ]
    unused = [finding for finding in findings if is_unused(finding, cited)]
    unused.sort(key=lambda finding: finding.kind != "disagreement")
    return uncited + [
        message_of(finding).format(statement=finding.statement, sources=", ".join(finding.sources))
        for finding in unused[:MOST_UNUSED]
    ]


def message_of(finding: Finding) -> str:
    messages = prompt_texts("measurements")
    return messages["disagreement" if finding.kind == "disagreement" else "finding"]


def is_unused(finding: Finding, cited: set[str]) -> bool:
    """Whether no passage of the finding is cited; of a disagreement, whether one side of it is not."""
    if finding.kind == "disagreement":
        return not cited.issuperset(finding.sources)
    return bool(finding.sources) and not cited.intersection(finding.sources)


def with_headings(
    context: RunContext, outline: Outline, replacements: Sequence[Replacement]
) -> tuple[Outline, list[Replacement]]:
    """The outline with the title and headings that are replaced, and the other replacements. What a person approved stays."""
    names, others = [outline.title, *(section.heading for section in outline.sections)], []
    for each in replacements:
        put, bounds = clean_heading(each.put), HEADING if each.section else TITLE
        if clean_heading(each.find).casefold() != names[each.section].casefold():
            others.append(each)
        elif not context.brief.approve_outline and bounds.low <= len(put) <= bounds.high:
            names[each.section] = put
    title, *headings = names
    sections = [
        section.model_copy(update={"heading": heading})
        for section, heading in zip(outline.sections, headings, strict=True)
    ]
    return outline.model_copy(update={"title": title, "sections": sections}), others


async def apply(
    context: RunContext,
    outline: Outline,
    number: int,
    text: str,
    replacements: Sequence[Replacement],
    kind: Literal["section", "corrected"] = "section",
) -> str:
    """Section ``number`` (from 1), or the introduction, 0, with the replacements that can be made."""
    applied = 0

    async def perform() -> SectionText:
        nonlocal applied
        edited = text
        for each in replacements:
            changed = replaced(edited, each.find, cleaned(each, context))
            if changed is not None and is_an_edit(text, changed, context.brief.language):
                edited, applied = changed, applied + 1
        return SectionText(markdown=edited)

    heading = name_of(outline, number)
    return (
        await context.once(
            StepKey("edit", kind, number),
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
    before, after = count_words(text), count_words(edited)
    return kept and LEAST_EDITED * before <= after <= max(MOST_EDITED * before, before + MOST_ADDED)
