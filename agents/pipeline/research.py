"""Research: the questions, the reading of sources, and what they say to each question."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agents.contract import Finding, Findings, QuestionFindings, Questions, Reading, Synthesis
from agents.crew import assignments
from agents.exceptions import NothingToRead
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.steps import StepKey
from agents.text.manuscript import normalized_ids, shortlist

QUESTIONS = 4


@dataclass(frozen=True)
class ResearchMaterial:
    """What the article can use. Without passages there are no findings either."""

    questions: list[str]
    reading: Reading
    findings: Findings


async def research(context: RunContext) -> ResearchMaterial:
    """Raises NothingToRead if nothing could be read and the brief does not allow an article without citations."""
    brief = context.brief
    made = await context.once(
        StepKey("research", "plan"),
        Questions,
        lambda: context.ask(assignments.plan_research(brief, QUESTIONS)),
        "Planning the research questions",
        lambda made: f"{pluralize(len(made.questions), 'research question')} planned",
    )
    questions = made.questions
    reading = await context.once(
        StepKey("research", "read"),
        Reading,
        lambda: context.dependencies.read(brief, questions),
        "Searching and reading sources",
        lambda made: f"{pluralize(len(made.sources), 'source')} read, {pluralize(len(made.passages), 'passage')} kept",
    )
    if not reading.passages:
        if not brief.allow_uncited:
            reasons = " ".join(unread.reason for unread in reading.unread[:2])
            raise NothingToRead(
                "No source could be read, and the brief does not allow an article without citations."
                f" Add a source, such as a text you paste, or allow it. {reasons}".rstrip()
            )
        return ResearchMaterial(questions, reading, Findings())
    await context.plan(research=3 + len(questions))
    found = await run_concurrently(*(find(context, reading, number, text) for number, text in enumerate(questions, 1)))
    findings = [finding for answer in found for finding in answer.findings]
    return ResearchMaterial(questions, reading, Findings(findings=findings))


async def find(context: RunContext, reading: Reading, number: int, question: str) -> QuestionFindings:
    """What the passages that match ``question`` best say to it."""
    passages = shortlist(reading, [question, context.brief.topic])

    async def perform() -> QuestionFindings:
        found = await context.ask(assignments.find(context.brief, question, passages))
        return grounded(found, {passage.id for passage in passages})

    return await context.once(
        StepKey("research", "find", number),
        QuestionFindings,
        perform,
        f"Answering “{question}”",
        lambda made: f"“{question}” answered, {pluralize(len(made.findings), 'finding')}",
    )


def grounded(found: QuestionFindings, shown: Collection[str]) -> QuestionFindings:
    """The findings without ids of passages the model was not shown, and without findings that are left with none."""
    sources = [[id for id in normalized_ids(finding.sources) if id in shown] for finding in found.findings]
    pairs = zip(found.findings, sources, strict=True)
    return QuestionFindings(findings=[Finding(statement=each.statement, sources=ids) for each, ids in pairs if ids])


async def synthesise(context: RunContext, material: ResearchMaterial) -> Findings:
    """All findings with a summary. It is for the reader only, so no later step waits for it."""
    findings = material.findings
    if not findings.findings:
        return findings
    made = await context.once(
        StepKey("research", "synthesis"),
        Synthesis,
        lambda: context.ask(assignments.synthesise(context.brief, findings.findings)),
        "Summarising the findings",
        lambda made: "Summary written",
    )
    return findings.model_copy(update={"synthesis": made.synthesis})
