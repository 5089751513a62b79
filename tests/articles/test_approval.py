"""Outlines that wait for approval: approved, changed, regenerated, and decided once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis

from agents.contract import Outline, OutlineSection, PlannedQuestion, PlannedTerm
from agents.pipeline.steps import StepKey
from articles.exceptions import InvalidOutline, InvalidState
from articles.models import Article, Run, Status, Step, StepStatus
from articles.runs.journal import read_brief
from articles.runs.recovery import sweep
from articles.runs.step_writer import completed_outputs
from articles.services import (
    approve_outline,
    cancel_run,
    delete_article,
    distribute_words,
    regenerate_outline,
    retry_run,
    save_text,
    start_run,
)
from tests.factories import UserFactory, claim, make_processing_article, stages_of_run
from tests.outlines import OWNED, POSITION, QUESTIONS, TERMS, TITLE, make_outline, make_waiting_article, outline

pytestmark = pytest.mark.django_db


def with_words(*words: int) -> Outline:
    sections = [OutlineSection(heading=f"Part {number}", words=given) for number, given in enumerate(words, 1)]
    return Outline(title=TITLE, sections=sections)


def stored_words(article: Article) -> list[int]:
    assert article.outline is not None
    return [section["words"] for section in article.outline["sections"]]


def run_of(article: Article) -> Run:
    run = article.latest_run()
    assert run is not None
    return run


class TestWaiting:
    def test_it_occupies_no_worker(self, owner: User) -> None:
        run = run_of(make_waiting_article(owner))
        assert (run.status, run.token, run.lease_expires_at) == (Status.AWAITING_APPROVAL, None, None)

    def test_the_sweeper_ignores_it_however_long_it_waits(self, owner: User) -> None:
        article = make_waiting_article(owner)
        Run.objects.update(enqueued_at=timezone.now() - timedelta(days=9))
        assert sweep() == 0
        assert run_of(article).status == Status.AWAITING_APPROVAL

    def test_writing_and_editing_are_refused_meanwhile(self, owner: User) -> None:
        article = make_waiting_article(owner)
        with pytest.raises(InvalidState):
            start_run(article=article, by=owner)
        with pytest.raises(InvalidState):
            save_text(article=article, by=owner, title="Mine", content="My words.", opened_at=0)

    def test_it_can_be_cancelled_and_resumed_with_its_outputs(self, owner: User) -> None:
        article = make_waiting_article(owner)
        cancel_run(article=article, by=owner)
        assert article.status == Status.CANCELLED
        retry_run(article=article, by=owner)
        assert completed_outputs(claim(article)).get(StepKey.parse("outline:plan")) is not None, "outputs are kept"

    def test_it_can_be_deleted(self, owner: User) -> None:
        delete_article(article=make_waiting_article(owner), by=owner)
        assert not Run.objects.exists()


class TestApproving:
    def test_it_enqueues_a_job_that_uses_the_outline(
        self, owner: User, redis: Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        article = make_waiting_article(owner)
        with django_capture_on_commit_callbacks(execute=True):
            run = approve_outline(article=article, by=owner)
        assert redis.llen("rq:queue:articles") == 1
        assert (run.status, run.attempts, article.status) == (Status.PENDING, 0, Status.PENDING)
        recalled = completed_outputs(claim(article)).get(StepKey.parse("outline:approved"))
        assert Outline.model_validate(recalled) == outline()

    def test_it_is_recorded_in_the_events(self, owner: User) -> None:
        article = make_waiting_article(owner)
        seq = article.last_seq
        approve_outline(article=article, by=owner)
        approved, waiting = [event.payload for event in article.events.after(seq)]
        assert approved == {
            "agent": "OutlineAgent",
            "step": "outline:approved",
            "status": "completed",
            "message": f"Approved by {owner.username}",
            "execution_time": 0.0,
        }
        assert (waiting["old_status"], waiting["new_status"]) == ("awaiting_approval", "pending")

    def test_a_changed_outline_is_cleaned_and_given_to_the_crew(self, owner: User) -> None:
        article = make_waiting_article(owner)
        changed = outline()
        changed.sections.reverse()
        changed.sections[0].heading = "  Who keeps\n it going? "
        changed.sections[0].sources = ["S3", "S99", "S3", "S1"]
        approve_outline(article=article, by=owner, outline=changed)
        first = Outline.model_validate(article.outline).sections[0]
        assert (first.heading, first.sources) == ("Who keeps it going?", ["S3", "S1"])
        assert article.outline == completed_outputs(claim(article)).get(StepKey.parse("outline:approved"))

    def test_findings_of_a_removed_section_are_dismissed_by_name(self, owner: User) -> None:
        article = make_waiting_article(owner)
        changed = outline()
        del changed.sections[1]
        approve_outline(article=article, by=owner, outline=changed)
        approved = Outline.model_validate(article.outline)
        assert [section.findings for section in approved.sections] == [[1, 2], [], [4]]
        reasons = {each.finding: each.reason for each in approved.dismissed}
        assert reasons == {3: f"Removed by {owner.username}", 5: "Old"}

    def test_each_known_finding_has_one_place(self, owner: User) -> None:
        article = make_waiting_article(owner)
        changed = outline()
        changed.sections[0].findings = [2, 99]
        changed.sections[1].findings = [2, 3, 3, 5]
        approve_outline(article=article, by=owner, outline=changed)
        approved = Outline.model_validate(article.outline)
        assert [section.findings for section in approved.sections] == [[2], [3, 5], [], [4]]
        assert [each.finding for each in approved.dismissed] == [1]

    def test_fields_that_are_not_set_are_kept(self, owner: User) -> None:
        """A client of an earlier version knows neither answer nor form nor findings."""
        article = make_waiting_article(owner)
        known = [OutlineSection(heading=section.heading, purpose="New") for section in outline().sections]
        approve_outline(article=article, by=owner, outline=Outline(title="A title", sections=known))
        approved = Outline.model_validate(article.outline)
        assert (approved.answer, approved.position) == (outline().answer, POSITION)
        assert (approved.questions, approved.terms) == (QUESTIONS, TERMS)
        assert [section.findings for section in approved.sections] == OWNED
        assert [section.form for section in approved.sections] == ["prose", "prose", "table", "prose"]
        assert [(each.finding, each.reason) for each in approved.dismissed] == [(5, "Old")]

    def test_a_caveat_on_the_answer_is_kept(self, owner: User) -> None:
        article = make_waiting_article(owner, outline().model_copy(update={"caveat": "Nobody counted leases."}))
        changed = Outline(title="A title", answer="Mine.", position="Wait a year.", sections=outline().sections)
        approve_outline(article=article, by=owner, outline=changed)
        approved = Outline.model_validate(article.outline)
        assert (approved.answer, approved.caveat, approved.position) == (
            *("Mine.", "Nobody counted leases.", "Wait a year."),
        )

    def test_questions_and_terms_move_with_their_sections(self, owner: User) -> None:
        article = make_waiting_article(owner)
        given = outline().sections
        order = [given[3], OutlineSection(heading="What is new"), given[0], given[2]]
        approve_outline(article=article, by=owner, outline=Outline(title=TITLE, sections=order))
        approved = Outline.model_validate(article.outline)
        assert [(each.question, each.section) for each in approved.questions] == [
            ("What do I gain?", 3),
            ("Who waters it in summer?", 1),
        ]
        assert [(each.term, each.section) for each in approved.terms] == [("lease", 1)]

    def test_a_renamed_section_keeps_its_questions(self, owner: User) -> None:
        article = make_waiting_article(owner)
        sections = outline().sections
        sections[1] = sections[1].model_copy(update={"heading": "Finding a roof", "purpose": "New"})
        sections[3] = sections[3].model_copy(update={"heading": "Care", "findings": []})
        approve_outline(article=article, by=owner, outline=Outline(title=TITLE, sections=sections))
        approved = Outline.model_validate(article.outline)
        assert (approved.questions, approved.terms) == (QUESTIONS, TERMS)

    def test_changed_questions_are_taken_and_those_of_no_section_are_dropped(self, owner: User) -> None:
        article = make_waiting_article(owner)
        questions = [PlannedQuestion(question=text, section=at) for text, at in (("One?", 4), ("Two?", 5), ("No?", 0))]
        changed = outline().model_copy(update={"questions": questions, "terms": [PlannedTerm(term="bed", section=1)]})
        approve_outline(article=article, by=owner, outline=changed)
        approved = Outline.model_validate(article.outline)
        assert approved.questions == questions[:1]
        assert [(each.term, each.section) for each in approved.terms] == [("bed", 1)]

    def test_the_length_becomes_the_sum_of_the_sections(self, owner: User) -> None:
        article = make_waiting_article(owner)
        approve_outline(article=article, by=owner, outline=with_words(400, 600, 250))
        assert article.min_words == 1250
        assert read_brief(claim(article)).min_words == 1250

    def test_sections_without_words_share_the_remaining_words(self, owner: User) -> None:
        article = make_waiting_article(owner)
        approve_outline(article=article, by=owner, outline=with_words(0, 500, 0, 0))
        assert stored_words(article) == [167, 500, 166, 167]
        assert article.min_words == 1000

    def test_the_crews_own_outline_is_not_checked_for_section_lengths(self, owner: User) -> None:
        article = make_waiting_article(owner, with_words(1500, 1500), min_words=3000)
        approve_outline(article=article, by=owner)
        assert (stored_words(article), article.min_words) == ([1500, 1500], 3000)

    @pytest.mark.parametrize(
        ("words", "total", "shares"),
        [
            ([0, 0, 0], 1000, [333, 334, 333]),
            ([200, 300], 1000, [200, 300]),
            ([600, 600, 0], 1000, [600, 600, 50]),
            ([], 1000, []),
        ],
    )
    def test_words_are_distributed_evenly_and_given_ones_kept(
        self, words: list[int], total: int, shares: list[int]
    ) -> None:
        assert distribute_words(words, total) == shares


class TestRefusing:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"heading": "   "}, "Section 2 has no heading"),
            ({"heading": "WHY  rooftops matter"}, "is used twice"),
            ({"words": 20}, "“Choosing a site”: a section has 50 to 600 words"),
            ({"words": 900}, "a section has 50 to 600 words"),
        ],
    )
    def test_an_invalid_outline_is_refused_with_its_reason(
        self, owner: User, changes: dict[str, Any], reason: str
    ) -> None:
        article = make_waiting_article(owner)
        given = outline()
        given.sections[1] = given.sections[1].model_copy(update=changes)
        with pytest.raises(InvalidOutline, match=reason):
            approve_outline(article=article, by=owner, outline=given)
        assert run_of(article).status == Status.AWAITING_APPROVAL
        assert not Step.objects.with_key(StepKey.parse("outline:approved")).exists()

    def test_a_title_of_spaces_is_refused(self, owner: User) -> None:
        given = outline().model_copy(update={"title": "a      b"})
        with pytest.raises(InvalidOutline, match="title is too short"):
            approve_outline(article=make_waiting_article(owner), by=owner, outline=given)

    @pytest.mark.parametrize(("words", "message"), [((100, 100), "200 words"), ((600,) * 9, "5,400 words")])
    def test_a_total_outside_the_limits_of_an_article_is_refused(
        self, owner: User, words: tuple[int, ...], message: str
    ) -> None:
        with pytest.raises(InvalidOutline, match=f"come to {message}. An article has 300 to 5,000"):
            approve_outline(article=make_waiting_article(owner), by=owner, outline=with_words(*words))

    def test_an_article_that_does_not_wait_is_refused_with_its_status(self, owner: User) -> None:
        article, _ = make_processing_article(owner)
        with pytest.raises(InvalidState, match="it is “writing”"):
            approve_outline(article=article, by=owner)


class TestTwoAtOnce:
    def test_the_second_decision_is_refused_and_names_who_approved(self, owner: User) -> None:
        article = make_waiting_article(owner)
        approve_outline(article=article, by=UserFactory.create(username="ada"))
        late_decisions: list[Callable[[], object]] = [
            lambda: approve_outline(article=article, by=owner, outline=outline()),
            lambda: regenerate_outline(article=article, by=owner, wish="Shorter"),
        ]
        for late in late_decisions:
            with pytest.raises(InvalidState, match="Approved by ada already"):
                late()
        assert Step.objects.with_key(StepKey.parse("outline:approved")).count() == 1

    def test_an_outline_regenerated_since_it_was_opened_is_not_approved(self, owner: User) -> None:
        article = make_waiting_article(owner)
        seen = article.last_seq
        regenerate_outline(article=article, by=owner, wish="Shorter")
        make_outline(claim(article), with_words(500, 500))
        with pytest.raises(InvalidState, match="regenerated since you opened it"):
            approve_outline(article=article, by=owner, outline=outline(), seen_seq=seen)
        article.refresh_from_db()
        approve_outline(article=article, by=owner, seen_seq=article.last_seq)
        assert stored_words(article) == [500, 500]


class TestRegenerating:
    def test_its_steps_are_superseded_and_their_cost_kept(self, owner: User) -> None:
        article = make_waiting_article(owner)
        run = regenerate_outline(article=article, by=owner, wish="Begin with the costs")
        held = claim(article)
        assert read_brief(held).outline_wish == "Begin with the costs"
        assert completed_outputs(held).get(StepKey.parse("outline:plan")) is None
        assert completed_outputs(held).get(StepKey.parse("research:read")) is not None, "research is kept"
        superseded = run.steps.filter(status=StepStatus.SUPERSEDED)
        assert {str(step) for step in superseded} == {"outline:plan"}
        assert sum(step.model_calls for step in run.steps.all()) == 4

    def test_it_can_be_repeated(self, owner: User) -> None:
        article = make_waiting_article(owner)
        for turn in (1, 2):
            regenerate_outline(article=article, by=owner, wish=f"Wish {turn}")
            make_outline(claim(article), outline())
        headings = run_of(article).steps.filter(stage="outline", kind="plan").order_by("pk")
        assert [step.status for step in headings] == ["superseded", "superseded", "completed"]
        assert run_of(article).attempts == 1, "no worker was lost"

    def test_the_stage_ignores_superseded_steps(self, owner: User) -> None:
        article = make_waiting_article(owner)
        regenerate_outline(article=article, by=owner, wish="Shorter")
        stage = stages_of_run(run_of(article))[1]
        assert (stage.stage, stage.done, stage.planned) == ("outline", 0, 1)
        make_outline(claim(article), outline())
        stage = stages_of_run(run_of(article))[1]
        assert (stage.status, stage.done) == ("completed", 1)
