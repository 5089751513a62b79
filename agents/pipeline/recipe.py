"""The recipe: how a brief becomes a manuscript, step by step.

The journal performs each step once and reads back what is done, so a resumed run continues at the first step without an output.
Every prompt begins with the brief and all that was read. Research finds facts, the outline answers the topic and gives each
fact a place, the sections are written side by side or as one draft, a review with everything in view asks for changes, and every
statement is checked against the passages. Title, lead and search description are made last, from the finished text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from agents.contract import (
    SEO,
    Brief,
    CheckedText,
    Finding,
    Findings,
    FramedArticle,
    Manuscript,
    Outline,
    UnusedSource,
)
from agents.crew.assignments import Reply
from agents.pipeline.context import Crew, RunContext, RunDependencies, run_both, run_concurrently
from agents.pipeline.edit import improve
from agents.pipeline.evidence import NONE_KNOWN, KnownVerdicts, check_section
from agents.pipeline.image import illustrate
from agents.pipeline.lead import check_frame, write_lead
from agents.pipeline.outline import make_outline
from agents.pipeline.research import MAX_GROUPS, ResearchMaterial, research
from agents.pipeline.seo import describe
from agents.pipeline.steps import Journal, StepKey
from agents.pipeline.write import resize, without_lead, write
from agents.text.chart import move_chart_sources, tables_for_bad_charts
from agents.text.citations import cited_ids, compile_references, uncited_sources
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
    """The checked sections, what stands around them, and the search description."""

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
    outline = await make_outline(context, material)
    await plan_steps(context, sections=len(outline.sections))
    finished, (picture, problem) = await run_both(
        write_and_edit(context, without_lead(context, outline), material.findings), illustrate(context, outline)
    )
    manuscript = composed(context, material, outline, finished).model_copy(
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
        write=sections,
        edit=4 + 3 * sections,
        seo=int(brief.seo_optimize),
        image=2 * brief.include_image,
    )


async def write_and_edit(context: RunContext, outline: Outline, findings: list[Finding]) -> Finished:
    texts = await write(context, outline, findings)
    outline, edited, known = await improve(context, outline, findings, texts)
    edited = await correct_length(context, outline, findings, edited)
    checked, (frame, seo) = await run_both(
        check_all(context, outline, findings, edited, known), frame_and_describe(context, outline, findings, edited)
    )
    return Finished(checked, frame, seo)


async def correct_length(context: RunContext, outline: Outline, findings: list[Finding], texts: list[str]) -> list[str]:
    """The texts, a few of them cut or extended if together they are too short or too long."""
    if not context.has_model:
        return texts
    wanted = [section.words for section in outline.sections]
    for attempt in range(1, ROUNDS + 1):
        again = sections_to_resize([count_words(text) for text in texts], wanted, TOTAL_BOUNDS)
        if not again:
            break
        await context.plan(edit=context.planned["edit"] + len(again))
        resized = await run_concurrently(
            *(
                resize(
                    context,
                    outline,
                    findings,
                    number,
                    texts[number - 1],
                    words,
                    StepKey("edit", "length", number, attempt),
                )
                for number, words in again.items()
            )
        )
        changed = dict(zip(again, resized, strict=True))
        texts = [changed.get(number, text) for number, text in enumerate(texts, 1)]
    return texts


async def check_all(
    context: RunContext, outline: Outline, findings: list[Finding], texts: list[str], known: KnownVerdicts
) -> list[CheckedText]:
    """The evidence of all sections. If rewording took the article too far from its length, some are resized and checked again."""
    checked = await run_concurrently(
        *(check_section(context, outline, number, text, known=known) for number, text in enumerate(texts, 1))
    )
    if not context.has_model:
        return checked
    wanted = [section.words for section in outline.sections]
    again = sections_to_resize([count_words(text.markdown) for text in checked], wanted, FINAL_BOUNDS)
    if again:
        await context.plan(edit=context.planned["edit"] + 2 * len(again))
        resized = await run_concurrently(
            *(
                resize_and_check(context, outline, findings, number, checked[number - 1], words, known)
                for number, words in again.items()
            )
        )
        changed = dict(zip(again, resized, strict=True))
        checked = [changed.get(number, text) for number, text in enumerate(checked, 1)]
    return checked


async def resize_and_check(
    context: RunContext,
    outline: Outline,
    findings: list[Finding],
    number: int,
    checked: CheckedText,
    words: int,
    known: KnownVerdicts = NONE_KNOWN,
) -> CheckedText:
    """Section ``number`` at about ``words`` words, with evidence for what is new."""
    key = StepKey("edit", "length", number, ROUNDS + 1)
    text = await resize(context, outline, findings, number, checked.markdown, words, key)
    if text == checked.markdown:
        return checked
    again = StepKey("edit", "evidence", number, 2)
    return await check_section(context, outline, number, text, again, checked, known)


async def frame_and_describe(
    context: RunContext, outline: Outline, findings: list[Finding], texts: list[str]
) -> tuple[FramedArticle, SEO | None]:
    """Title, lead and search description from the finished text, and their check."""
    lead, seo = await run_both(write_lead(context, outline, findings, texts), describe(context, outline, texts))
    return await check_frame(context, outline, lead, seo), seo


def composed(context: RunContext, material: ResearchMaterial, outline: Outline, finished: Finished) -> Manuscript:
    """The manuscript without its picture."""
    brief, reading, frame = context.brief, material.reading, finished.frame
    texts = [text.markdown for text in finished.texts]
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
    whole = f"{frame.lead}{PARAGRAPH_BREAK}{body}" if frame.lead else body
    content, references = compile_references(with_known_material(context, whole), reading, brief.language)
    evidence = [*frame.evidence, *(row for text in finished.texts for row in text.evidence)]
    return Manuscript(
        title=frame.title,
        content=content,
        outline=final,
        seo=finished.seo.model_copy(update={"faq": frame.faq}) if finished.seo else None,
        reading=reading,
        findings=Findings(synthesis=outline.answer, findings=material.findings) if material.findings else None,
        questions=material.questions,
        references=references,
        unused_sources=unused_sources(context, outline, material, texts),
        evidence=evidence,
        repeated=repeated_sections(texts),
        foreign=foreign_sections(texts, brief.language) if context.has_model else [],
    )


def with_known_material(context: RunContext, text: str) -> str:
    """``text`` without charts of figures and without addresses that no source has."""
    reading, brief = context.reading, context.brief
    figures = known_values(passage.text for passage in reading.passages)
    text = move_chart_sources(
        tables_for_bad_charts(text, figures), {passage.id for passage in reading.passages}, brief.language
    )
    urls = [source.url for source in reading.sources if source.url] + URL.findall(brief.notes)
    return strip_unknown_links(text, urls)


def unused_sources(
    context: RunContext, outline: Outline, material: ResearchMaterial, texts: list[str]
) -> list[UnusedSource]:
    """The sources that are cited nowhere, with the reason as far as the run knows it."""
    cited = {id for text in texts for id in cited_ids(text)}
    source_of = {passage.id: passage.source for passage in material.reading.passages}
    reasons: dict[int, str] = {}
    dismissed = {each.finding: each.reason for each in outline.dismissed}
    for finding in material.findings:
        for id in finding.sources:
            if reason := dismissed.get(finding.number):
                reasons.setdefault(source_of.get(id, 0), f"Its findings were left out: {reason}")
    found = {source_of.get(id, 0) for finding in material.findings for id in finding.sources}
    shown = Counter(passage.source for passage in context.passages)  # each source of the brief has one at least
    read = Counter(passage.source for passage in material.reading.passages)
    unused = []
    for source in uncited_sources(material.reading, cited):
        if source.number in reasons:
            reason = reasons[source.number]
        elif source.number in found:
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
