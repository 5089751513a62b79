"""The recipe: how a brief becomes a manuscript, step by step.

The journal performs each step once and reads back what is done, so a resumed run continues at the first step without an output.
Every prompt begins with the brief and all that was read. An outline proposes an answer and the sections while the findings are
found; the article is written as one draft or in parts, and meanwhile, unless it is long, once more without an outline; a chief
editor chooses a draft; editors with everything in view, who also learn which findings it does not use, replace what can be
better; one of them reads the whole once more; and every statement is checked against the passages.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.contract import (
    SEO,
    Brief,
    CheckedText,
    DismissedFinding,
    Finding,
    Findings,
    FramedArticle,
    Manuscript,
    Outline,
    UnusedSource,
)
from agents.crew.assignments import Reply
from agents.pipeline.choose import choose, write_freely
from agents.pipeline.context import Crew, RunContext, RunDependencies, run_both, run_concurrently
from agents.pipeline.edit import improve, proofread
from agents.pipeline.evidence import NONE_KNOWN, KnownVerdicts, check_section
from agents.pipeline.image import illustrate
from agents.pipeline.lead import check_frame, write_lead
from agents.pipeline.outline import make_outline
from agents.pipeline.research import MAX_GROUPS, ResearchMaterial, research
from agents.pipeline.seo import describe
from agents.pipeline.steps import Journal, StepKey
from agents.pipeline.write import Draft, has_second_draft, resize, with_lead, without_lead, write
from agents.text.chart import move_chart_sources, tables_for_bad_charts
from agents.text.citations import cited_ids, compile_references, strip_unknown_marks, uncited_sources
from agents.text.cleanup import PARAGRAPH_BREAK
from agents.text.length import FINAL_BOUNDS, TOTAL_BOUNDS, section_count, sections_to_resize
from agents.text.links import strip_unknown_links
from agents.text.manuscript import (
    assemble,
    check_complete,
    foreign_sections,
    notices,
    repeated_sections,
)
from agents.text.markdown import count_words
from agents.text.numbers import known_values
from agents.text.quoting import new_boundary

__all__ = ["Crew", "Reply", "RunDependencies", "produce"]

URL = re.compile(r"https?://\S+")
"""Addresses in the notes of a brief, which the article may name."""

ROUNDS = 2
"""How often the length of the whole is corrected, before and after the check."""


@dataclass(frozen=True)
class Finished:
    """The checked introduction and sections, what stands around them, and the search description."""

    outline: Outline
    lead: CheckedText
    texts: list[CheckedText]
    frame: FramedArticle
    seo: SEO | None


async def produce(brief: Brief, journal: Journal, dependencies: RunDependencies) -> Manuscript:
    """Returns the finished manuscript. It can be called again after any exception and continues with the first open step.

    Raises AgentError if the brief cannot be met, ApprovalRequired if a person has to approve the outline first, and
    SpendingLimitReached if the next call could exceed the limit.
    """
    with new_boundary():
        return await _produce(RunContext(brief, journal, dependencies))


async def _produce(context: RunContext) -> Manuscript:
    await plan_steps(context)
    material = await research(context)
    outline: asyncio.Future[Outline] = asyncio.get_running_loop().create_future()
    (findings, finished), (picture, problem) = await run_both(
        write_and_edit(context, outline), illustrate(context, outline)
    )
    manuscript = composed(context, material, findings, finished).model_copy(
        update={"picture": picture, "picture_problem": problem}
    )
    check_complete(context.brief, manuscript, has_model=context.has_model)
    return manuscript.model_copy(update={"notices": notices(context.brief, manuscript, has_model=context.has_model)})


async def plan_steps(context: RunContext, sections: int = 0) -> None:
    """Announce the number of steps of each stage; before the outline is made, for an estimated number of sections."""
    brief = context.brief
    known = {} if sections else {"research": 1 + bool(context.dependencies.searches) + MAX_GROUPS, "outline": 2}
    sections = sections or section_count(brief.min_words)
    await context.plan(
        **known,
        write=sections + has_second_draft(context),
        edit=5 + has_second_draft(context) + 3 * sections,
        seo=int(brief.seo_optimize),
        image=2 * brief.include_image,
    )


async def write_and_edit(context: RunContext, outline: asyncio.Future[Outline]) -> tuple[list[Finding], Finished]:
    """The findings and the finished text. ``outline`` gets the outline as soon as it is known."""
    (findings, first), second = await run_both(plan_and_write(context, outline), write_freely(context))
    chosen, advice = await choose(context, first, second)
    draft, known = await improve(context, chosen, findings, advice)
    draft = await correct_length(context, draft)
    if context.has_model and not draft.lead:
        made = await write_lead(context, draft.outline, draft.texts)
        await context.plan(edit=context.planned["edit"] + bool(made.lead))
        draft = replace(draft, lead=made.lead, outline=draft.outline.model_copy(update={"title": made.title}))
    draft, seo = await run_both(proofread(context, draft), describe(context, draft.outline, draft.texts, draft.lead))
    (lead, *texts), frame = await run_both(check_all(context, draft, known), check_frame(context, draft.outline, seo))
    return findings, Finished(with_lead(context, draft.outline, outline.result()), lead, texts, frame, seo)


async def plan_and_write(context: RunContext, outline: asyncio.Future[Outline]) -> tuple[list[Finding], Draft]:
    try:
        made, findings = await make_outline(context)
        outline.set_result(made)
    finally:
        outline.cancel()  # without effect if it is known
    await plan_steps(context, sections=len(made.sections))
    return findings, await write(context, without_lead(context, made))


async def correct_length(context: RunContext, draft: Draft) -> Draft:
    """The draft, a few of its sections cut or extended if together they are too short or too long."""
    if not context.has_model:
        return draft
    wanted, texts = [section.words for section in draft.outline.sections], draft.texts
    for attempt in range(1, ROUNDS + 1):
        again = sections_to_resize([count_words(text) for text in texts], wanted, TOTAL_BOUNDS)
        if not again:
            break
        await context.plan(edit=context.planned["edit"] + len(again))
        resized = await run_concurrently(
            *(
                resize(
                    context, draft.outline, number, texts[number - 1], words, StepKey("edit", "length", number, attempt)
                )
                for number, words in again.items()
            )
        )
        changed = dict(zip(again, resized, strict=True))
        texts = [changed.get(number, text) for number, text in enumerate(texts, 1)]
    return replace(draft, texts=texts)


async def check_all(context: RunContext, draft: Draft, known: KnownVerdicts) -> list[CheckedText]:
    """The evidence of the introduction and of all sections.

    If rewording took the article too far from its length, some sections are resized and checked again.
    """
    outline = draft.outline
    lead, *checked = await run_concurrently(
        check_section(context, outline, 0, draft.lead, known=known) if draft.lead else nothing_to_check(),
        *(check_section(context, outline, number, text, known=known) for number, text in enumerate(draft.texts, 1)),
    )
    if not context.has_model:
        return [lead, *checked]
    wanted = [section.words for section in outline.sections]
    again = sections_to_resize([count_words(text.markdown) for text in checked], wanted, FINAL_BOUNDS)
    if again:
        await context.plan(edit=context.planned["edit"] + 2 * len(again))
        resized = await run_concurrently(
            *(
                resize_and_check(context, outline, number, checked[number - 1], words, known)
                for number, words in again.items()
            )
        )
        changed = dict(zip(again, resized, strict=True))
        checked = [changed.get(number, text) for number, text in enumerate(checked, 1)]
    return [lead, *checked]


async def nothing_to_check() -> CheckedText:
    return CheckedText(markdown="")


async def resize_and_check(
    context: RunContext,
    outline: Outline,
    number: int,
    checked: CheckedText,
    words: int,
    known: KnownVerdicts = NONE_KNOWN,
) -> CheckedText:
    """Section ``number`` at about ``words`` words, with evidence for what is new."""
    key = StepKey("edit", "length", number, ROUNDS + 1)
    text = await resize(context, outline, number, checked.markdown, words, key)
    if text == checked.markdown:
        return checked
    again = StepKey("edit", "evidence", number, 2)
    return await check_section(context, outline, number, text, again, checked, known)


def composed(
    context: RunContext, material: ResearchMaterial, findings: Sequence[Finding], finished: Finished
) -> Manuscript:
    """The manuscript without its picture."""
    brief, reading, frame = context.brief, material.reading, finished.frame
    lead, texts = finished.lead.markdown, [text.markdown for text in finished.texts]
    outline = with_used_findings(context, finished.outline, findings, lead, texts)
    final = outline.model_copy(
        update={
            "title": frame.title,
            "sections": [
                section.model_copy(update={"heading": heading})
                for section, heading in zip(outline.sections, frame.headings, strict=True)
            ],
        }
    )
    body = assemble(final, texts)
    whole = f"{lead}{PARAGRAPH_BREAK}{body}" if lead else body
    content, references = compile_references(with_known_material(context, whole), reading, brief.language)
    evidence = [*frame.evidence, *(row for text in (finished.lead, *finished.texts) for row in text.evidence)]
    return Manuscript(
        title=frame.title,
        content=content,
        outline=final,
        seo=finished.seo.model_copy(update={"faq": frame.faq}) if finished.seo else None,
        reading=reading,
        findings=Findings(synthesis=strip_unknown_marks(lead, ()) or outline.answer, findings=list(findings))
        if findings
        else None,
        questions=material.questions,
        references=references,
        unused_sources=unused_sources(context, findings, [lead, *texts]),
        evidence=evidence,
        repeated=repeated_sections(texts),
        foreign=foreign_sections(texts, brief.language) if context.has_model else [],
    )


def with_used_findings(
    context: RunContext, outline: Outline, findings: Sequence[Finding], lead: str, texts: Sequence[str]
) -> Outline:
    """``outline`` with the passages that each section cites, and each finding in the first section that cites a passage of it.

    The other findings are dismissed.
    What a person approved stays.
    """
    if context.brief.approve_outline or not findings:
        return outline
    cited = [set(cited_ids(text)) for text in texts]
    place = {
        finding.number: next((at for at, ids in enumerate(cited) if ids.intersection(finding.sources)), None)
        for finding in findings
    }
    in_lead = {finding.number for finding in findings if set(cited_ids(lead)).intersection(finding.sources)}
    sections = [
        section.model_copy(
            update={
                "findings": [number for number, found in place.items() if found == at],
                "sources": list(dict.fromkeys(cited_ids(texts[at]))),
            }
        )
        for at, section in enumerate(outline.sections)
    ]
    dismissed = [
        DismissedFinding(finding=number, reason="Its passages are not cited in the text.")
        for number, found in place.items()
        if found is None and number not in in_lead
    ]
    return outline.model_copy(update={"sections": sections, "dismissed": dismissed})


def with_known_material(context: RunContext, text: str) -> str:
    """``text`` without charts of figures and without addresses that no source has."""
    reading, brief = context.reading, context.brief
    figures = known_values(passage.text for passage in reading.passages)
    text = move_chart_sources(
        tables_for_bad_charts(text, figures), {passage.id for passage in reading.passages}, brief.language
    )
    urls = [source.url for source in reading.sources if source.url] + URL.findall(brief.notes)
    return strip_unknown_links(text, urls)


def unused_sources(context: RunContext, findings: Sequence[Finding], texts: Sequence[str]) -> list[UnusedSource]:
    """The sources that are cited nowhere, with the reason as far as the run knows it."""
    cited = {id for text in texts for id in cited_ids(text)}
    source_of = {passage.id: passage.source for passage in context.reading.passages}
    found = {source_of.get(id, 0) for finding in findings for id in finding.sources}
    shown = Counter(passage.source for passage in context.passages)  # each source of the brief has one at least
    read = Counter(passage.source for passage in context.reading.passages)
    unused = []
    for source in uncited_sources(context.reading, cited):
        if source.number in found:
            reason = "What was found in it was not used in the text."
        elif shown[source.number] < read[source.number]:
            reason = (
                f"Only {shown[source.number]} of its {read[source.number]} passages fitted into the reading,"
                " and nothing was found there that the article needs."
            )
        else:
            reason = "Nothing was found in it that the article needs."
        unused.append(UnusedSource(source=source.number, title=source.title, reason=reason))
    return unused
