"""Research: the reading of sources, and the findings in it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil

from agents.contract import Finding, FoundFacts, Passage, QuestionFindings, Questions, Reading
from agents.crew import assignments
from agents.exceptions import NothingToRead
from agents.pipeline.context import RunContext, pluralize, run_concurrently
from agents.pipeline.previews import json_preview
from agents.pipeline.steps import StepKey
from agents.text.conflicts import Conflict, find_conflicts
from agents.text.language import languages_of
from agents.text.manuscript import normalized_ids
from agents.text.reading_selection import select_passages

QUESTIONS = 4
FINDINGS, MOST_OF_GROUP = 24, 18
"""The findings of all groups together, about, and the most of one: a long answer takes long."""

MAX_GROUPS = 4
MAX_NOTICED = 6


@dataclass(frozen=True)
class ResearchMaterial:
    """What the article can use."""

    questions: list[str]
    reading: Reading


async def research(context: RunContext) -> ResearchMaterial:
    """Read the sources, and show them in every further prompt.

    Raises NothingToRead if nothing could be read and the brief does not allow an article without citations.
    """
    brief, limit = context.brief, context.dependencies.reading_tokens
    questions = await plan_questions(context) if context.dependencies.searches else []
    reading = await context.once(
        StepKey("research", "read"),
        Reading,
        lambda: context.dependencies.read(brief, questions),
        "Searching and reading sources" if context.dependencies.searches else "Reading the sources",
        lambda made: f"{pluralize(len(made.sources), 'source')} read, {pluralize(len(made.passages), 'passage')} kept",
    )
    if not reading.passages:
        if not brief.allow_uncited:
            reasons = " ".join(unread.reason for unread in reading.unread[:2])
            raise NothingToRead(
                "No source could be read, and the brief does not allow an article without citations."
                f" Add a source, such as a text you paste, or allow it. {reasons}".rstrip()
            )
        context.show(reading, [])
        return ResearchMaterial(questions, reading)
    passages = select_passages(reading, questions, limit) if context.has_model else reading.passages
    if len(passages) < len(reading.passages):
        questions = questions or await plan_questions(context, languages_of(reading))
        passages = select_passages(reading, questions, limit)
    context.show(reading, passages)
    return ResearchMaterial(questions, reading)


async def plan_questions(context: RunContext, languages: Sequence[str] = ()) -> list[str]:
    """What readers ask, to search the web and to choose passages by. Also asked in ``languages``."""
    made = await context.once(
        StepKey("research", "plan"),
        Questions,
        lambda: context.ask(assignments.plan_research(context.shared(), context.brief, QUESTIONS, languages)),
        "Planning the research questions",
        lambda made: f"{pluralize(len(made.questions), 'research question')} planned",
    )
    return made.questions


async def find_all(context: RunContext) -> list[Finding]:
    """The findings of all groups of sources, numbered from 1; none if nothing was read."""
    passages = context.passages
    if not passages:
        return []
    groups = source_groups(passages)
    await context.plan(research=1 + bool(context.dependencies.searches) + len(groups))
    conflicts = await asyncio.to_thread(find_conflicts, context.reading) if context.has_model else []
    found = await run_concurrently(
        *(find(context, passages, number, groups, conflicts) for number in range(1, len(groups) + 1))
    )
    findings = [finding for of_group in found for finding in of_group.findings]
    return [finding.model_copy(update={"number": number}) for number, finding in enumerate(findings, 1)]


def source_groups(passages: Sequence[Passage]) -> list[list[int]]:
    """The sources, in order, in up to MAX_GROUPS groups of about the same length: their findings are found side by side."""
    lengths: dict[int, int] = {}
    for passage in passages:
        lengths[passage.source] = lengths.get(passage.source, 0) + len(passage.text)
    count = min(MAX_GROUPS, len(lengths))
    total, before = sum(lengths.values()), 0
    groups: list[list[int]] = [[] for _ in range(count)]
    for source, length in lengths.items():
        groups[min(count * (before + length // 2) // total, count - 1)].append(source)
        before += length
    return [group for group in groups if group]


async def find(
    context: RunContext,
    passages: Sequence[Passage],
    number: int,
    groups: Sequence[Sequence[int]],
    conflicts: Sequence[Conflict],
) -> QuestionFindings:
    """The findings of group ``number`` (from 1). It is shown the ``conflicts`` that begin in its sources."""
    key = StepKey("research", "find", number)
    count = min(ceil(FINDINGS / len(groups)) + (len(groups) > 1), MOST_OF_GROUP)
    source_of = {passage.id: passage.source for passage in passages}
    noticed = [each.message for each in conflicts if source_of.get(each.passages[0]) in groups[number - 1]][
        :MAX_NOTICED
    ]

    async def perform() -> QuestionFindings:
        assignment = assignments.find(
            context.shared(), context.brief, passages, groups[number - 1], len(groups), count, noticed
        )
        preview = json_preview(context.preview(key), ("statement",))
        return grounded(await context.ask(assignment, preview), source_of, count)

    which = pluralize(len(groups[number - 1]), "source")
    return await context.once(
        key,
        QuestionFindings,
        perform,
        f"Reading {which} closely",
        lambda made: f"{which} read closely, {pluralize(len(made.findings), 'finding')}",
    )


def grounded(found: FoundFacts, known: Collection[str], count: int) -> QuestionFindings:
    """The first ``count`` findings without ids of passages that were not read.

    A finding left without any is dropped, unless it says what is open: that no source says.
    """
    findings = []
    for each in found.findings[:count]:
        sources = [id for id in normalized_ids(each.sources) if id in known]
        if sources or each.kind == "open":
            findings.append(
                Finding(statement=each.statement.strip(), kind=each.kind, date=each.date.strip(), sources=sources)
            )
    return QuestionFindings(findings=findings)
