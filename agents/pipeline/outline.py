"""The outline: first the headings, which take a second, then a plan for each section, concurrently.

So the time hardly grows with the length, and whoever writes a section knows what the others cover.
"""

from __future__ import annotations

from agents.contract import Headings, Outline, OutlineSection, SectionPlan
from agents.crew import assignments
from agents.exceptions import ApprovalRequired
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.research import ResearchMaterial
from agents.pipeline.steps import StepKey
from agents.text.cleanup import clean_heading
from agents.text.headings import fit_headings, heading_problems
from agents.text.length import even_shares
from agents.text.manuscript import normalized_ids, section_count, shortlist


async def make_outline(context: RunContext, material: ResearchMaterial) -> Outline:
    """Raises ApprovalRequired if the brief asks for approval and nobody has approved the outline yet."""
    approved = await context.journal.recall(StepKey("outline", "approved"), Outline)
    if approved:
        planned = await context.journal.recall(StepKey("outline", "make"), Headings)
        await context.plan(outline=2 + len(planned.sections if planned else ()))
        return approved
    wanted = section_count(context.brief)
    headings = await context.once(
        StepKey("outline", "make"),
        Headings,
        lambda: headings_for(context, material, wanted),
        f"Planning {wanted} sections",
        lambda made: f"“{made.title}” planned, {pluralize(len(made.sections), 'section')}",
    )
    await context.plan(outline=1 + len(headings.sections))
    outline = await plan_sections(context, material, headings)
    if context.brief.approve_outline:
        raise ApprovalRequired(outline)
    return outline


async def headings_for(context: RunContext, material: ResearchMaterial, wanted: int) -> Headings:
    """Title and about ``wanted`` headings. If something is wrong the model corrects them once, then code does."""
    brief, findings = context.brief, material.findings.findings
    made = await context.ask(assignments.make_headings(brief, findings, material.reading.passages, wanted))
    if not context.dependencies.has_model:
        return made
    problems = heading_problems(made, wanted, brief.language)
    if problems:
        again = await context.ask(assignments.make_headings_again(brief, made, problems, wanted))
        made = min(again, made, key=lambda each: len(heading_problems(each, wanted, brief.language)))
    return fit_headings(made, wanted, brief)


async def plan_sections(context: RunContext, material: ResearchMaterial, headings: Headings) -> Outline:
    numbers = range(1, len(headings.sections) + 1)
    plans = await run_concurrently(*(plan_section(context, material, headings, number) for number in numbers))
    shares = even_shares(context.brief.min_words, len(plans))
    known = {passage.id for passage in material.reading.passages}
    sections = [
        OutlineSection(
            heading=clean_heading(heading),
            purpose=plan.purpose,
            points=plan.points,
            sources=[id for id in normalized_ids(plan.sources) if id in known],
            words=words,
        )
        for heading, plan, words in zip(headings.sections, plans, shares, strict=True)
    ]
    return Outline(title=clean_heading(headings.title), sections=sections)


async def plan_section(context: RunContext, material: ResearchMaterial, headings: Headings, number: int) -> SectionPlan:
    heading = headings.sections[number - 1]
    findings, reading = material.findings.findings, material.reading
    passages = shortlist(reading, [heading, context.brief.topic])
    return await context.once(
        StepKey("outline", "section", number),
        SectionPlan,
        lambda: context.ask(
            assignments.plan_section(context.brief, headings, number, findings, passages, reading.passages)
        ),
        f"Planning “{heading}”",
        lambda made: f"“{heading}” planned, {pluralize(len(made.points), 'point')}",
    )
