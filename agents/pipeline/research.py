"""Research: what to ask, what can be read, and what it says to each question."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from agents.contract import Finding, Findings, QuestionFindings, Questions, Reading, Synthesis
from agents.crew import assignments
from agents.exceptions import NothingToRead
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.steps import StepKey
from agents.text.manuscript import normalized_ids, shortlist
from agents.text.markdown import count_words

QUESTIONS = 4


@dataclass(frozen=True)
class ResearchMaterial:
    """What the article can rest on. Without passages there are no findings either."""

    questions: list[str]
    reading: Reading
    findings: Findings


async def research(context: RunContext) -> ResearchMaterial:
    """Raises NothingToRead where nothing could be read and the brief does not allow to write all the same."""
    brief = context.brief
    questions = await context.once(
        StepKey("research", "plan"),
        Questions,
        lambda: context.ask(assignments.plan_research(brief, QUESTIONS)),
        "Working out what to ask",
        lambda made: pluralize(len(made.questions), "question"),
    )
    reading = await context.once(
        StepKey("research", "read"),
        Reading,
        lambda: context.dependencies.read(brief, questions.questions),
        "Searching and reading",
        lambda made: f"{pluralize(len(made.sources), 'source')} read, {pluralize(len(made.passages), 'passage')} kept",
    )
    if not reading.passages:
        return without_material(context, questions, reading)
    asked = questions.questions
    await context.plan(research=3 + len(asked))
    found = await run_concurrently(*(find(context, reading, number, text) for number, text in enumerate(asked, 1)))
    findings = [finding for answer in found for finding in answer.findings]
    return ResearchMaterial(asked, reading, Findings(findings=findings))


def without_material(context: RunContext, questions: Questions, reading: Reading) -> ResearchMaterial:
    if not context.brief.allow_uncited:
        reasons = " ".join(unread.reason for unread in reading.unread[:2])
        raise NothingToRead(
            "No source could be read, and the brief asks for an article that rests on sources."
            f" Add one, such as a text you paste, or allow an article without citations. {reasons}".rstrip()
        )
    return ResearchMaterial(questions.questions, reading, Findings())


async def find(context: RunContext, reading: Reading, number: int, question: str) -> QuestionFindings:
    """What the passages that fit ``question`` best say to it."""
    passages = shortlist(reading, [question, context.brief.topic])

    async def perform() -> QuestionFindings:
        found = await context.ask(assignments.find(context.brief, question, passages))
        return grounded(found, {passage.id for passage in passages})

    return await context.once(
        StepKey("research", "find", number),
        QuestionFindings,
        perform,
        f"Looking for an answer to “{question}”",
        lambda made: pluralize(len(made.findings), "finding"),
    )


def grounded(found: QuestionFindings, shown: Collection[str]) -> QuestionFindings:
    """What was found, without ids of passages that were not ``shown`` for it, and without what rests on none then."""
    sources = [[id for id in normalized_ids(finding.sources) if id in shown] for finding in found.findings]
    pairs = zip(found.findings, sources, strict=True)
    return QuestionFindings(findings=[Finding(statement=each.statement, sources=ids) for each, ids in pairs if ids])


async def synthesise(context: RunContext, material: ResearchMaterial) -> Findings:
    """All findings with a synthesis of them; it is for the reader, so nothing waits for it."""
    findings = material.findings
    if not findings.findings:
        return findings
    made = await context.once(
        StepKey("research", "synthesis"),
        Synthesis,
        lambda: context.ask(assignments.synthesise(context.brief, findings.findings)),
        "Putting the findings together",
        lambda made: pluralize(count_words(made.synthesis), "word"),
    )
    return findings.model_copy(update={"synthesis": made.synthesis})
