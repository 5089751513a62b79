"""Creates rows for tests through the services and the journal, so that they equal real ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from factory.declarations import Sequence
from factory.django import DjangoModelFactory, Password
from pydantic import BaseModel

from agents.contract import (
    SEO,
    Findings,
    Manuscript,
    Outline,
    OutlineSection,
    Passage,
    Questions,
    Reading,
    Reference,
    SectionText,
    Source,
)
from agents.costs.usage import Usage
from agents.pipeline.steps import StepKey
from articles.live.draft_stream import DraftStream
from articles.models import Article, Run
from articles.runs.journal import RunJournal, complete_run
from articles.runs.lease import Claim, claim_run
from articles.runs.stages import StageView, stages_of
from articles.runs.step_writer import PlanChanged, StepCompleted, StepFailed, StepStarted, write_changes
from articles.services import BriefInput, NewSource, create_article

PASSWORD = "correct horse battery staple"

CONTENT = """## Why rooftops matter

Flat roofs are the largest unused surface of a city.[^1] Planted roofs run **11 °C** cooler in summer.[^1]

## Choosing a site

Start with load. A saturated bed weighs 95–180 kg per square metre, so ask an engineer before a gardener.[^2]

[^1]: City roofs surveyed. <https://example.org/roofs> (read 22 November 2026)
[^2]: Loads of planted beds. (read 22 November 2026)
"""


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Sequence(lambda number: f"writer{number}")
    password = Password(PASSWORD)


class StaffFactory(UserFactory):
    username = Sequence(lambda number: f"editor{number}")
    is_staff = True
    is_superuser = True


def make_article(owner: User, *, sources: tuple[NewSource, ...] = (), **brief: Any) -> Article:
    """An article that waits for a worker (its job is enqueued only if the test's transaction commits)."""
    fields = {"topic": "Rooftop gardens in the city", **brief}
    if "voice" in fields:
        fields["voice"] = fields["voice"].name
    return create_article(by=owner, brief=BriefInput(**fields), sources=sources)


def claim(article: Article) -> Claim:
    run = article.latest_run()
    assert run is not None
    taken = claim_run(run.pk, worker="test", model="test-model")
    assert taken is not None, "the run was not pending"
    return taken


def step_started(key: str, message: str = "Working") -> StepStarted:
    return StepStarted(StepKey.parse(key), message)


def step_completed(key: str, output: BaseModel, usage: Usage, message: str = "Done") -> StepCompleted:
    return StepCompleted(StepKey.parse(key), message, output, usage)


def step_failed(key: str, message: str, usage: Usage) -> StepFailed:
    return StepFailed(StepKey.parse(key), message, usage)


def do_step(held: Claim, key: str, markdown: str = "Some text.", done: str = "Done") -> None:
    """Start and complete a step."""
    write_changes(held, [step_started(key)])
    usage = Usage(calls=1, prompt_tokens=10, completion_tokens=5)
    write_changes(held, [step_completed(key, SectionText(markdown=markdown), usage, done)])


def make_manuscript(content: str = CONTENT, title: str = "Rooftop gardens: what the evidence says") -> Manuscript:
    text = "Flat roofs are the largest unused surface of a city. Planted roofs run 11 °C cooler in summer."
    read = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    source = Source(
        number=1, title="City roofs surveyed", url="https://example.org/roofs", read_at=read, sha256="0" * 64
    )
    section = OutlineSection(heading="Why rooftops matter", purpose="What there is to gain.", points=[], sources=["S1"])
    site = OutlineSection(heading="Choosing a site", purpose="Where to begin.", points=["Load"], sources=["S1"])
    return Manuscript(
        title=title,
        content=content,
        outline=Outline(title=title, sections=[section, site]),
        seo=SEO(title=title[:60], meta_description="What is known of roofs. " * 6, slug="roofs", keywords=["roof"]),
        reading=Reading(sources=[source], passages=[Passage(id="S1", source=1, start=0, end=len(text), text=text)]),
        findings=Findings(synthesis="Roofs are unused and planted ones are cooler.", findings=[]),
        questions=Questions(questions=["How much cooler is a planted roof?"]).questions,
        references=[Reference(number=1, source=1, title="City roofs surveyed", url="https://example.org/roofs")],
    )


def make_processing_article(owner: User, **brief: Any) -> tuple[Article, Claim]:
    """An article being written: research is done, the outline is being made."""
    article = make_article(owner, **brief)
    held = claim(article)
    write_changes(held, [PlanChanged({"research": 4, "outline": 2, "write": 2, "edit": 3, "seo": 1, "image": 2})])
    for key in ("research:plan", "research:read", "research:find:1", "research:find:2"):
        do_step(held, key)
    write_changes(held, [step_started("outline:plan", "Planning 2 sections")])
    article.refresh_from_db()
    return article, held


FROM_THE_OUTLINE = (
    "outline:plan",
    "outline:answer",
    "write:1",
    "write:2",
    "edit:review",
    "edit:evidence:1",
    "edit:evidence:2",
    "seo:describe",
    "image:prompt",
    "image:draw",
)


def make_completed_article(owner: User, **brief: Any) -> Article:
    article, held = make_processing_article(owner, **brief)
    for key in FROM_THE_OUTLINE:
        do_step(held, key)
    complete_run(held, make_manuscript(), notice="")
    article.refresh_from_db()
    return article


def stages_of_run(run: Run) -> list[StageView]:
    """The six stages of the run, as its page shows them."""
    return stages_of(run, run.steps.current())


async def make_journal() -> RunJournal:
    held = await sync_to_async(lambda: claim(make_article(UserFactory.create())))()
    return RunJournal(held, DraftStream(held.article_id))
