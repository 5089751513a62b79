"""The six stages of a run as the page shows them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pydantic import BaseModel

from agents.contract import (
    CheckedText,
    Finding,
    Plan,
    PlannedSection,
    QuestionFindings,
    Questions,
    SentenceEvidence,
    Verdict,
)
from agents.costs.usage import Usage
from articles.models import Article, Run, Status
from articles.runs.lease import Claim
from articles.runs.stages import StageView
from articles.runs.step_writer import PlanChanged, StageSkipped, write_changes
from articles.services import cancel_run
from tests.factories import (
    UserFactory,
    claim,
    do_step,
    make_article,
    make_manuscript,
    make_processing_article,
    stages_of_run,
    step_completed,
    step_failed,
    step_started,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


def test_all_six_are_shown_from_the_start(owner: User) -> None:
    run = make_article(owner).latest_run()
    assert run is not None
    assert [(view.stage, view.status) for view in stages_of_run(run)] == [
        (stage, "waiting") for stage in ("research", "outline", "write", "edit", "seo", "image")
    ]


def views_of(article: Article) -> dict[str, StageView]:
    run = article.latest_run()
    assert run is not None
    return {view.stage: view for view in stages_of_run(run)}


def test_they_follow_the_steps(owner: User) -> None:
    article, held = make_processing_article(owner)
    for key in ("outline:plan", "outline:answer"):
        do_step(held, key)
    do_step(held, "write:1", done="190 words")
    write_changes(held, [StageSkipped("seo", "No SEO")])
    write_changes(held, [step_started("image:draw")])
    write_changes(held, [step_failed("image:draw", "No image model", Usage())])
    views = views_of(article)
    assert {stage: view.status for stage, view in views.items()} == {
        "research": "completed",
        "outline": "completed",
        "write": "working",
        "edit": "waiting",
        "seo": "skipped",
        "image": "failed",
    }
    assert (views["write"].done, views["write"].planned, views["write"].message) == (1, 2, "190 words")
    assert views["research"].seconds is not None
    assert views["write"].seconds is None


def test_two_concurrent_stages_are_both_working(owner: User) -> None:
    article, held = make_processing_article(owner)
    write_changes(held, [PlanChanged({"research": 5, "outline": 3})])
    write_changes(held, [step_started("research:find:2")])
    views = views_of(article)
    assert (views["research"].status, views["outline"].status) == ("working", "working")


def test_a_working_stage_shows_a_step_in_progress_rather_than_one_that_ended(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    write_changes(held, [step_started("write:1", "Section 1"), step_started("write:2", "Section 2")])
    finish(held, "write:3", make_manuscript().outline)
    assert views_of(article)["write"].message == "Section 2"


def finish(held: Claim, key: str, output: BaseModel) -> None:
    write_changes(held, [step_started(key)])
    write_changes(held, [step_completed(key, output, Usage())])


def plan(*headings: str) -> Plan:
    sections = [
        PlannedSection(heading=heading, purpose="", form="prose", words=200, findings=[]) for heading in headings
    ]
    return Plan(
        answer="Start with the load.",
        position="",
        title="Roofs of the city",
        questions=[],
        terms=[],
        sections=sections,
        dismissed=[],
    )


def judged(*verdicts: Verdict) -> CheckedText:
    rows = [
        SentenceEvidence(section=1, sentence="So.", passages=["S1"], verdict=each, judged_by="model")
        for each in verdicts
    ]
    return CheckedText(markdown="So [S1].", evidence=rows)


def test_stages_of_many_steps_have_a_summary(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    write_changes(held, [PlanChanged({"research": 4, "outline": 2, "write": 3, "edit": 6})])
    finish(held, "research:plan", Questions(questions=["Why?", "How?"]))
    finish(held, "research:read", make_manuscript().reading)
    for group in (1, 2):
        found = [Finding(statement="A roof bears a garden.", sources=["S1"])] * group
        finish(held, f"research:find:{group}", QuestionFindings(findings=found))
    finish(held, "outline:plan", plan("Why", "How"))
    for key in ("outline:answer", "write:1", "write:2", "write:2:again-1", "edit:review", "edit:2"):
        do_step(held, key)
    finish(held, "edit:evidence:1", judged("supported", "partly"))
    finish(held, "edit:evidence:2", judged("not", "not"))
    do_step(held, "edit:2:length-1")
    finish(held, "edit:evidence:2:again-1", judged("supported"))
    messages = {stage: view.message for stage, view in views_of(article).items()}
    assert messages == {
        "research": "2 questions, 1 source, 3 findings",
        "outline": "2 sections",
        "write": "2 sections",
        "edit": "1 section edited, 2 of 3 sentences supported",
        "seo": "",
        "image": "",
    }


def test_a_draft_of_the_whole_article_has_its_own_message(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    write_changes(held, [PlanChanged({"write": 1})])
    do_step(held, "write:draft", done="Draft written, 980 words")
    assert views_of(article)["write"].message == "Draft written, 980 words"


def test_two_drafts_are_counted(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    write_changes(held, [PlanChanged({"write": 2})])
    do_step(held, "write:second", done="Second draft written, 900 words")
    do_step(held, "write:draft", done="Draft written, 980 words")
    assert views_of(article)["write"].message == "2 drafts"


def test_a_second_draft_that_failed_is_not_counted(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    write_changes(held, [PlanChanged({"write": 2})])
    do_step(held, "write:second", markdown="", done="No second draft: The answer is empty.")
    do_step(held, "write:draft", done="Draft written, 980 words")
    assert views_of(article)["write"].message == "Draft written, 980 words"


def test_a_section_that_is_edited_and_corrected_counts_once(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    keys = ("edit:choose", "edit:1", "edit:2", "edit:proofread", "edit:corrected:2", "edit:corrected:3")
    write_changes(held, [PlanChanged({"edit": len(keys)})])
    for key in keys:
        do_step(held, key)
    assert views_of(article)["edit"].message == "3 sections edited"


def test_the_summary_counts_the_approved_outline(owner: User) -> None:
    article = make_article(owner)
    held = claim(article)
    finish(held, "outline:plan", plan("Why", "How", "Who"))
    finish(held, "outline:approved", make_manuscript().outline)
    assert views_of(article)["outline"].message == "2 sections"


def test_a_step_of_another_version_keeps_its_own_message(owner: User) -> None:
    article, _ = make_processing_article(owner)
    assert views_of(article)["research"].message == "Done"


def test_an_outline_that_waits_for_approval_is_awaiting(owner: User) -> None:
    article, held = make_processing_article(owner)
    do_step(held, "outline:plan")
    Run.objects.filter(pk=held.run_id).update(status=Status.AWAITING_APPROVAL)
    views = views_of(article)
    assert (views["outline"].status, views["write"].status) == ("awaiting", "waiting")


def test_an_unfinished_stage_of_an_ended_run_is_stopped(owner: User) -> None:
    article, _ = make_processing_article(owner)
    cancel_run(article=article, by=owner)
    assert views_of(article)["outline"].status == "stopped"
