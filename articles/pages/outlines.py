"""The outline as far as it is made: headings first, then what each section is to do."""

from __future__ import annotations

from agents.contract import Headings, Outline, OutlineSection, SectionPlan
from articles.pages.step_outputs import StepLog


def outline_from_steps(log: StepLog) -> Outline | None:
    """As a person approved it; else the headings with the plans that are done. Older runs made all of it in one step."""
    if approved := log.output("outline:approved", Outline):
        return approved
    headings = log.output("outline:make", Headings)
    if headings is None:
        return log.output("outline:make", Outline)
    sections = [planned_section(log, number, heading) for number, heading in enumerate(headings.sections, 1)]
    return Outline.model_construct(title=headings.title, sections=sections)


def planned_section(log: StepLog, number: int, heading: str) -> OutlineSection:
    """Not validated anew: the headings are as the run took them."""
    plan = log.output(f"outline:{number}", SectionPlan) or SectionPlan(purpose="", points=[], sources=[])
    return OutlineSection.model_construct(heading=heading, **plan.model_dump())
