"""The outline: one call that sees all sources. Its answer is checked if a person approves it; else the finished text is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence

from agents.contract import (
    CheckedAnswer,
    Finding,
    OldOutline,
    OldSectionPlan,
    Outline,
    OutlineSection,
    Plan,
    ProposedOutline,
    ProposedSection,
)
from agents.crew import assignments
from agents.exceptions import ApprovalRequired
from agents.pipeline.context import RunContext, pluralize, run_both
from agents.pipeline.previews import first_string, json_preview
from agents.pipeline.research import find_all
from agents.pipeline.steps import StepKey
from agents.text.cleanup import one_line
from agents.text.headings import fit_headings, heading_problems
from agents.text.length import section_count
from agents.text.planned_outline import planned_outline, with_checked_answer, with_words


async def make_outline(context: RunContext) -> tuple[Outline, list[Finding]]:
    """The outline, and the findings, which are found meanwhile.

    Raises ApprovalRequired if the brief asks for approval and nobody has approved the outline yet.
    """
    approved = await context.journal.recall(StepKey("outline", "approved"), Outline)
    has_check = context.brief.approve_outline and context.has_model and bool(context.passages)
    await context.plan(outline=1 + bool(approved) + has_check)
    if approved:
        return with_words(approved, context.brief.min_words), await find_all(context)
    if older := await older_outline(context):
        return older, await find_all(context)
    if context.has_model:
        findings, (plan, checked) = await run_both(find_all(context), planned(context, has_check=has_check))
    else:  # the built-in writer forms its sections around its findings
        findings = await find_all(context)
        plan, checked = await planned(context, findings)
    outline = planned_outline(plan, findings, context.brief.min_words, to_approve=context.brief.approve_outline)
    if has_check and checked.planned != outline.answer:  # the plan was made again
        checked = await check_answer(context, outline.answer, attempt=2)
    outline = with_checked_answer(outline, checked)
    if context.brief.approve_outline:
        raise ApprovalRequired(outline)
    return outline, findings


async def planned(
    context: RunContext, findings: Sequence[Finding] = (), *, has_check: bool = False
) -> tuple[Plan, CheckedAnswer]:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    check = check_answer(context, answer) if has_check else older_check(context, answer)
    return await run_both(make_plan(context, answer, findings), check)


async def older_outline(context: RunContext) -> Outline | None:
    """The outline that an older version made for this run, if it is complete: sections may have been written by it.

    Raises ApprovalRequired if the brief asks for approval.
    """
    made = await context.journal.recall(StepKey("outline", "make"), OldOutline)
    if made is None:
        return None
    sections = []
    for number, section in enumerate(made.sections, 1):
        if isinstance(section, str):
            plan = await context.journal.recall(StepKey("outline", "section", number), OldSectionPlan)
            if plan is None:
                return None  # nothing was written yet
            section = OutlineSection(heading=section, **plan.model_dump())
        sections.append(section)
    outline = with_words(Outline(title=made.title, sections=sections), context.brief.min_words)
    if context.brief.approve_outline:
        raise ApprovalRequired(outline)
    return outline


async def make_plan(context: RunContext, answer: asyncio.Future[str], findings: Sequence[Finding] = ()) -> Plan:
    """The plan. Its ``answer`` is known while the rest of it is still being generated."""
    key, wanted = StepKey("outline", "plan"), section_count(context.brief.min_words)
    try:
        plan = await context.once(
            key,
            Plan,
            lambda: plan_for(context, wanted, key, answer, findings),
            f"Planning {wanted} sections",
            lambda made: f"“{made.title}” planned, {pluralize(len(made.sections), 'section')}",
        )
        if not answer.done():
            answer.set_result(one_line(plan.answer))
    finally:
        answer.cancel()  # without effect if it is known
    return plan


async def plan_for(
    context: RunContext, wanted: int, key: StepKey, answer: asyncio.Future[str], findings: Sequence[Finding]
) -> Plan:
    """A plan of about ``wanted`` sections. If something is wrong the model corrects it once, then code does."""
    brief, shared, language = context.brief, context.shared(), context.brief.language
    preview = first_string(json_preview(context.preview(key), ("answer", "heading")), "answer", answer)
    made = await context.ask(assignments.make_plan(shared, brief, context.passages, wanted, findings), preview)
    if not context.has_model:
        return as_plan(made, made.title, made.sections)
    problems = plan_problems(made, wanted, language)
    if problems:
        again = await context.ask(assignments.make_plan_again(shared, brief, made, problems, wanted), preview)
        made = min(again, made, key=lambda each: len(plan_problems(each, wanted, language)))
    headings = fit_headings(made.title, [section.heading for section in made.sections], wanted, brief)
    kept = {heading.casefold(): heading for heading in headings.sections}
    sections = []
    for section in made.sections:
        if heading := kept.pop(headings.key_of(section.heading), ""):
            sections.append(section.model_copy(update={"heading": heading}))
    return as_plan(made, headings.title, sections)


def as_plan(made: ProposedOutline, title: str, sections: Sequence[ProposedSection]) -> Plan:
    """``made`` with another title and other sections, and with what the built-in writer adds."""
    return Plan.model_validate(
        made.model_dump() | {"title": title, "sections": [each.model_dump() for each in sections]}
    )


def plan_problems(made: ProposedOutline, wanted: int, language: str) -> list[str]:
    return heading_problems(made.title, [section.heading for section in made.sections], wanted, language)


async def check_answer(context: RunContext, answer: str | Awaitable[str], attempt: int = 1) -> CheckedAnswer:
    """The answer, corrected if it says more than the passages: whatever is wrong in it would be copied into the article."""

    async def perform() -> CheckedAnswer:
        planned = one_line(answer if isinstance(answer, str) else await answer)
        made = await context.ask(assignments.check_answer(context.shared(), context.brief, planned))
        return CheckedAnswer(planned=planned, problem=made.problem, answer=made.answer)

    return await context.once(
        StepKey("outline", "answer", attempt=attempt),
        CheckedAnswer,
        perform,
        "Checking the answer against the sources",
        lambda made: f"Answer corrected: {made.problem}" if made.problem.strip() else "Answer checked",
    )


async def older_check(context: RunContext, answer: Awaitable[str]) -> CheckedAnswer:
    """The check that an older version made of every answer, else ``answer`` unchecked."""
    made = await context.journal.recall(StepKey("outline", "answer"), CheckedAnswer)
    planned = await answer
    return made or CheckedAnswer(planned=planned)
