"""The outline as far as it is made: first the headings, then the plan of each section."""

from __future__ import annotations

from agents.contract import Headings, Outline, OutlineSection, SectionPlan
from agents.pipeline.steps import StepKey
from articles.pages.step_outputs import StepLog


def outline_from_steps(log: StepLog) -> Outline | None:
    """The approved outline; else the headings with the finished plans. Older runs made the outline in one step."""
    if approved := log.output(StepKey("outline", "approved"), Outline):
        return approved
    headings = log.output(StepKey("outline", "make"), Headings)
    if headings is None:
        return log.output(StepKey("outline", "make"), Outline)
    sections = [planned_section(log, number, heading) for number, heading in enumerate(headings.sections, 1)]
    return Outline.model_construct(title=headings.title, sections=sections)


def section_from_steps(log: StepLog, number: int) -> OutlineSection | None:
    """Section ``number`` of ``outline_from_steps``, without reading the plans of the others."""
    if StepKey("outline", "approved") not in log.by_key and (
        headings := log.output(StepKey("outline", "make"), Headings)
    ):
        return planned_section(log, number, headings.sections[number - 1]) if number <= len(headings.sections) else None
    outline = outline_from_steps(log)
    return outline.sections[number - 1] if outline and number <= len(outline.sections) else None


def planned_section(log: StepLog, number: int, heading: str) -> OutlineSection:
    """A section from its heading and, once finished, its plan. Not validated again."""
    plan = log.output(StepKey("outline", "section", number), SectionPlan) or SectionPlan(
        purpose="", points=[], sources=[]
    )
    return OutlineSection.model_construct(heading=heading, **plan.model_dump())
