"""Articles whose outline waits for approval, created step by step as by the crew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from pydantic import BaseModel

from agents.contract import Headings, Outline, OutlineSection, Passage, Questions, Reading, SectionPlan, Source
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
PASSAGES = {
    "S1": "Surveys of three councils put the usable area of flat roofs at 8–12 % of the built footprint.",
    "S2": "At the surface, planted roofs were 11 °C cooler on the hottest days of July.",
    "S3": "A saturated bed weighs between 95 and 180 kg per square metre.",
}


def outline(words: int = 250) -> Outline:
    sections = [
        OutlineSection(heading=heading, purpose=purpose, points=points, sources=sources, words=words)
        for heading, (purpose, points, sources) in SECTIONS.items()
    ]
    return Outline(title=TITLE, sections=sections)


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
    do(held, "outline:make", Headings(title=made.title, sections=[section.heading for section in made.sections]))
    for number, part in enumerate(made.sections, 1):
        do(held, f"outline:{number}", SectionPlan(purpose=part.purpose, points=part.points, sources=part.sources))
    await_approval(held, made)


def make_waiting_article(owner: User, made: Outline | None = None, **brief: Any) -> Article:
    """An article of 1,000 words whose outline of four sections waits; three passages were read."""
    article = make_article(owner, **{"approve_outline": True, **brief})
    held = claim(article)
    write_changes(held, [PlanChanged({"research": 2, "outline": 5, "write": 4, "edit": 5, "seo": 1, "image": 2})])
    do(held, "research:plan", Questions(questions=["How much cooler is a planted roof?"]), "1 question")
    do(held, "research:read", reading(), "1 source read, 3 passages kept")
    make_outline(held, made or outline())
    article.refresh_from_db()
    return article
