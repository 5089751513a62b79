"""The outline that follows from a plan and the findings."""

from __future__ import annotations

from collections.abc import Sequence

from agents.contract import CheckedAnswer, Finding, Outline, OutlineSection, Plan
from agents.text.cleanup import clean_heading, one_line
from agents.text.length import even_shares, most_findings
from agents.text.planning import assign_findings, distribute_words
from agents.text.prompt_fields import finding_line

LAST_SHARE = 1.6
WEIGHT = 100
"""That of a section whose plan says nothing about its length."""


def planned_outline(plan: Plan, findings: Sequence[Finding], words: int, *, to_approve: bool) -> Outline:
    """The plan with its words added up to ``words``.

    Its sections have findings if a person is going to approve them, or if the plan names some, as those of the built-in writer
    and of older versions do. Else a finding belongs to the section that cites it, which only the finished text shows.
    """
    if not to_approve and not any(section.findings for section in plan.sections):
        findings = ()
    shares = distribute_words(with_room_for_advice([section.words or WEIGHT for section in plan.sections]), words)
    owned, dismissed = assign_findings(plan, findings, most_findings(words))
    by_number = {finding.number: finding for finding in findings}
    sections = [
        OutlineSection(
            heading=clean_heading(section.heading),
            purpose=one_line(section.purpose),
            form=section.form,
            points=[finding_line(by_number[number]) for number in numbers],
            findings=numbers,
            sources=list(dict.fromkeys(id for number in numbers for id in by_number[number].sources)),
            words=share,
        )
        for section, numbers, share in zip(plan.sections, owned, shares, strict=True)
    ]
    return Outline(
        title=clean_heading(plan.title),
        answer=one_line(plan.answer),
        position=one_line(plan.position),
        questions=plan.questions,
        terms=plan.terms,
        sections=sections,
        dismissed=dismissed,
    )


def with_checked_answer(outline: Outline, checked: CheckedAnswer | None) -> Outline:
    """``outline`` with its answer corrected; unchanged if it is another answer that was checked."""
    if checked is None or checked.planned != outline.answer:
        return outline
    return outline.model_copy(
        update={"answer": one_line(checked.answer) or outline.answer, "caveat": one_line(checked.problem)}
    )


def with_room_for_advice(weights: Sequence[int]) -> list[int]:
    """``weights`` with at least LAST_SHARE of their mean for the last section: what readers act on is written out there."""
    mean = sum(max(weight, 0) for weight in weights) / len(weights)
    return [*weights[:-1], max(weights[-1], round(LAST_SHARE * mean))]


def with_words(outline: Outline, total: int) -> Outline:
    """``outline`` with words for the sections that have none, as those of older versions: an even share of ``total``."""
    shares = even_shares(total, len(outline.sections))
    sections = [
        section if section.words else section.model_copy(update={"words": share})
        for section, share in zip(outline.sections, shares, strict=True)
    ]
    return outline.model_copy(update={"sections": sections})
