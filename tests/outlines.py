"""Articles whose outline waits for approval, created step by step as by the crew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from pydantic import BaseModel

from agents.contract import (
    DismissedFinding,
    Finding,
    Outline,
    OutlineSection,
    Passage,
    Plan,
    PlannedQuestion,
    PlannedSection,
    PlannedTerm,
    QuestionFindings,
    Questions,
    Reading,
    Source,
)
from agents.costs.usage import Usage
from articles.models import Article
from articles.runs.journal import await_approval
from articles.runs.lease import Claim
from articles.runs.step_writer import PlanChanged, write_changes
from tests.factories import claim, make_article, step_completed, step_started

TITLE = "Rooftop gardens: what the evidence says"
SECTIONS = {
    "Why rooftops matter": ("What there is to gain, and for whom.", ["Unused surface", "Heat"], ["S1", "S2"]),
    "Choosing a site": ("Load, access, water and wind, in this order.", ["Load comes first"], ["S3"]),
    "What it costs": ("What a square metre costs to build, and to keep.", ["To build", "To keep"], []),
    "Who keeps it going": ("What gardens that last have in common.", [], ["S2"]),
}
ANSWER = "Start with the load. What keeps a garden is a lease and a named person."
POSITION = "Ask an engineer before a gardener."
QUESTIONS = [
    PlannedQuestion(question="What do I gain?", section=1),
    PlannedQuestion(question="Does my roof bear it?", section=2),
    PlannedQuestion(question="Who waters it in summer?", section=4),
]
TERMS = [PlannedTerm(term="saturated bed", section=2), PlannedTerm(term="lease", section=4)]
FINDINGS = [
    Finding(statement="Flat roofs make up 8–12 % of the built footprint.", kind="figure", date="2025", sources=["S1"]),
    Finding(statement="Planted roofs are 11 °C cooler in July.", kind="figure", sources=["S2"]),
    Finding(statement="A saturated bed weighs 95–180 kg per square metre.", kind="figure", sources=["S3"]),
    Finding(statement="Gardens with a lease last.", sources=["S2"]),
    Finding(statement="In 1998 there were 12 such gardens.", kind="figure", date="1998", sources=["S1"]),
]
OWNED = [[1, 2], [3], [], [4]]
PASSAGES = {
    "S1": "Surveys of three councils put the usable area of flat roofs at 8–12 % of the built footprint.",
    "S2": "At the surface, planted roofs were 11 °C cooler on the hottest days of July.",
    "S3": "A saturated bed weighs between 95 and 180 kg per square metre.",
}


def outline(words: int = 250) -> Outline:
    sections = [
        OutlineSection(
            heading=heading, purpose=purpose, points=points, sources=sources, words=words, form="prose", findings=owned
        )
        for (heading, (purpose, points, sources)), owned in zip(SECTIONS.items(), OWNED, strict=True)
    ]
    sections[2].form = "table"
    return Outline(
        title=TITLE,
        answer=ANSWER,
        position=POSITION,
        questions=QUESTIONS,
        terms=TERMS,
        sections=sections,
        dismissed=[DismissedFinding(finding=5, reason="Old")],
    )


def reading() -> Reading:
    read = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    source = Source(number=1, title="Roofs", url="https://example.org/roofs", read_at=read, sha256="0" * 64)
    passages = [Passage(id=id, source=1, start=0, end=len(text), text=text) for id, text in PASSAGES.items()]
    return Reading(sources=[source], passages=passages)


def do(held: Claim, key: str, output: BaseModel, done: str = "Done") -> None:
    write_changes(held, [step_started(key)])
    usage = Usage(calls=1, prompt_tokens=100, completion_tokens=20)
    write_changes(held, [step_completed(key, output, usage, done)])


def make_outline(held: Claim, made: Outline) -> None:
    """The steps of an outline, and the wait for its approval."""
    sections = [
        PlannedSection.model_validate(part.model_dump(include=set(PlannedSection.model_fields)))
        for part in made.sections
    ]
    plan = Plan(
        answer=made.answer,
        position=made.position,
        title=made.title,
        questions=made.questions,
        terms=made.terms,
        sections=sections,
        dismissed=made.dismissed,
    )
    do(held, "outline:plan", plan)
    await_approval(held, made)


def make_waiting_article(owner: User, made: Outline | None = None, **brief: Any) -> Article:
    """An article of 1,000 words whose outline of four sections waits; three passages were read."""
    article = make_article(owner, **{"approve_outline": True, **brief})
    held = claim(article)
    write_changes(held, [PlanChanged({"research": 3, "outline": 1, "write": 4, "edit": 5, "seo": 1, "image": 2})])
    do(held, "research:plan", Questions(questions=["How much cooler is a planted roof?"]), "1 question")
    do(held, "research:read", reading(), "1 source read, 3 passages kept")
    do(held, "research:find:1", QuestionFindings(findings=FINDINGS), "5 findings")
    make_outline(held, made or outline())
    article.refresh_from_db()
    return article
