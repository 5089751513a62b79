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


def planned_section(log: StepLog, number: int, heading: str) -> OutlineSection:
    """A section from its heading and, once finished, its plan. Not validated again."""
    plan = log.output(StepKey("outline", "section", number), SectionPlan) or SectionPlan(
        purpose="", points=[], sources=[]
    )
    return OutlineSection.model_construct(heading=heading, **plan.model_dump())
