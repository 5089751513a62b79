"""What the page's socket reads for an event: not the outputs of the whole run, whatever their size."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from pydantic import BaseModel

from agents.contract import (
    CheckedAnswer,
    CheckedText,
    Finding,
    Outline,
    Passage,
    Plan,
    PlannedSection,
    QuestionFindings,
    Questions,
    Reading,
    SectionText,
    SentenceEvidence,
    Source,
)
from agents.costs.usage import Usage
from articles.live.consumers import ArticlePageConsumer
from articles.live.snapshots import Snapshot, read_snapshot
from articles.models import Article
from articles.pages import ArticleView, outlines
from articles.pages.fragments import render
from articles.pages.outlines import completed_outline
from articles.pages.step_outputs import StepLog, completed_reading
from articles.runs.lease import Claim
from articles.runs.step_writer import write_changes
from tests.factories import UserFactory, claim, make_article, step_completed, step_started

pytestmark = pytest.mark.django_db(transaction=True)
SECTIONS = 4
ANSWER = "A roof bears what its joists bear."
SENTENCE = "A saturated bed weighs between 95 and 180 kg per square metre, so ask an engineer first [S{}]. "


@pytest.fixture
def json_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all JSON values that are read from the database."""
    sizes: list[int] = []
    read = models.JSONField.from_db_value

    def measured(field: Any, value: Any, *args: Any) -> Any:
        sizes.append(len(value or ""))
        return read(field, value, *args)

    monkeypatch.setattr(models.JSONField, "from_db_value", measured)
    return sizes


@pytest.fixture
def held() -> Claim:
    """A run at work: everything is written, all sections but the last are checked, and much was read."""
    held = claim(make_article(UserFactory.create()))
    sources = [Source(number=1, title="Survey", read_at="2026-11-01T00:00:00Z", sha256="a" * 64)]  # type: ignore[arg-type]
    passages = [Passage(id=f"S{number}", source=1, start=0, end=400, text="x" * 400) for number in range(1, 2001)]
    finish(held, "research:plan", Questions(questions=["What does a flat roof bear?"]))
    finish(held, "research:read", Reading(sources=sources, passages=passages))
    found = QuestionFindings(findings=[Finding(statement="A roof bears a garden.", sources=["S1"])])
    finish(held, "research:find:1", found)
    headings = [f"Section number {number}" for number in range(1, SECTIONS + 1)]
    purpose = "Say what a roof bears."
    sections = [
        PlannedSection(heading=heading, purpose=purpose, form="prose", words=250, findings=[]) for heading in headings
    ]
    plan = Plan(
        answer=ANSWER, position="", title="Rooftop gardens", questions=[], terms=[], sections=sections, dismissed=[]
    )
    finish(held, "outline:plan", plan)
    for number in range(1, SECTIONS + 1):
        finish(held, f"write:{number}", SectionText(markdown=SENTENCE.format(number) * 100))
    for number in range(1, SECTIONS):
        finish(held, f"edit:evidence:{number}", checked(number))
    return held


def checked(number: int) -> CheckedText:
    row = SentenceEvidence(
        section=number,
        sentence=SENTENCE.format(number).partition(" [")[0] + ".",
        passages=[f"S{number}"],
        verdict="supported",
        judged_by="code",
        was="It was worded otherwise.",
    )
    return CheckedText(markdown=SENTENCE.format(number), evidence=[row])


def finish(held: Claim, key: str, output: BaseModel) -> None:
    write_changes(held, [step_started(key)])
    write_changes(held, [step_completed(key, output, Usage(calls=1))])


def read_last_event(held: Claim) -> Snapshot:
    after = Article.objects.values_list("last_seq", flat=True).get(pk=held.article_id) - 1
    snapshot = read_snapshot(ArticlePageConsumer.render_events, held.article_id, after)
    assert snapshot is not None
    return snapshot


def test_an_event_without_a_section_reads_no_output_and_no_text(held: Claim) -> None:
    write_changes(held, [step_started("edit:review")])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        html = read_last_event(held).texts[0]
    assert 'id="timeline"' in html
    for query in queries:
        for column in ("output", "content", "research_data"):
            assert f'"{column}"' not in query["sql"], query["sql"]
    assert len(queries) <= 5


def test_an_event_of_a_section_reads_outputs_of_that_section_only(held: Claim, json_bytes: list[int]) -> None:
    write_changes(held, [step_started("edit:3")])
    read_last_event(held)  # reads the outline
    json_bytes.clear()
    with CaptureQueriesContext(connection) as queries:
        html = read_last_event(held).texts[0]
    assert 'id="section-3"' in html
    assert "Section number 3" in html
    assert 'id="section-2"' not in html
    assert sum(json_bytes) < 25_000, "of a megabyte that was read, and 40 kB of other sections"
    assert len(queries) <= 6


def test_the_outline_is_made_once_for_all_sections(held: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    completed_outline.cache_clear()
    made: list[int] = []
    build = outlines.outline_from_outputs

    def counted(log: StepLog, words: int) -> Outline | None:
        made.append(words)
        return build(log, words)

    monkeypatch.setattr(outlines, "outline_from_outputs", counted)
    for number in range(1, SECTIONS + 1):
        write_changes(held, [step_started(f"edit:{number}")])
        assert f"Section number {number}" in read_last_event(held).texts[0]
    assert len(made) == 1
    corrected = CheckedAnswer(planned=ANSWER, problem="Too much", answer="An engineer decides what a roof bears.")
    finish(held, "outline:answer", corrected)
    assert corrected.answer in read_last_event(held).texts[0], "a further step of the outline changes it"
    assert len(made) == 2


def test_the_reading_is_parsed_once_for_all_checks(held: Claim, json_bytes: list[int]) -> None:
    completed_reading.cache_clear()
    finish(held, "edit:evidence:4", checked(4))
    json_bytes.clear()
    read_last_event(held)
    assert sum(json_bytes) > 800_000
    json_bytes.clear()
    html = read_last_event(held).texts[0]
    assert 'id="evidence-of-4"' in html
    assert "1 passage cited" in html
    assert sum(json_bytes) < 25_000


def test_a_section_alone_is_the_same_as_among_all(held: Claim) -> None:
    write_changes(held, [step_started("edit:evidence:4")])
    article = Article.objects.get(pk=held.article_id)
    whole, partial = ArticleView(article), ArticleView(article, outputs_of=lambda key: False)
    for number in range(1, SECTIONS + 1):
        assert partial.section(number) == whole.sections[number - 1]
        evidence = (partial.evidence_section(number), whole.evidence[number - 1])
        one, among_all = (render("evidence_section", whole, section=section) for section in evidence)
        assert one == among_all
    assert partial.section(SECTIONS + 1) is None
    assert partial.evidence_section(SECTIONS + 1) is None


def test_the_summary_of_counts_is_that_of_the_sentences(held: Claim) -> None:
    view = ArticleView(Article.objects.get(pk=held.article_id))
    verdicts = Counter(found.verdict for found in view.checked_sentences)
    summary = view.evidence_summary
    counted = {"supported": summary.supported, "partly": summary.partly, "not": summary.unsupported}
    assert +Counter(counted) == verdicts
    assert (summary.sentences, summary.reworded) == (3, 3)
