"""The journal of a run: each step runs once, events are in order, and only the claim holder writes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from pytest_django import Settings

from agents.contract import Manuscript, SectionText
from agents.costs.usage import Usage
from agents.exceptions import FailureCode, ModelError
from agents.pipeline.steps import StepKey, StepSpec
from articles.exceptions import UNEXPECTED_ERROR
from articles.models import Article, Event, Run, Status, Step, StepStatus
from articles.runs.event_log import article_transaction
from articles.runs.journal import (
    complete_run,
    fail_run,
    read_brief,
)
from articles.runs.step_writer import (
    PlanChanged,
    StageSkipped,
    completed_outputs,
    write_changes,
)
from articles.services import NewSource
from articles.signals import events_recorded
from tests.factories import (
    UserFactory,
    claim,
    do_step,
    make_article,
    make_completed_article,
    make_journal,
    make_manuscript,
    make_processing_article,
    step_completed,
    step_failed,
    step_started,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return UserFactory.create()


def event_rows(article: Article) -> list[tuple[int, str, str | None]]:
    return [(event.seq, event.type, event.payload.get("status")) for event in article.events.all()]


class TestSteps:
    def test_a_step_and_its_event_are_stored_together(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        do_step(held, "research:plan", done="4 questions")
        done = Step.objects.with_key(StepKey.parse("research:plan")).get()
        assert (done.status, done.message, done.output) == ("completed", "4 questions", {"markdown": "Some text."})
        assert (done.model_calls, done.prompt_tokens, done.completion_tokens) == (1, 10, 5)
        last = article.events.last()
        assert last is not None
        assert last.payload["step"] == "research:plan"
        assert last.payload["execution_time"] >= 0

    def test_completed_outputs_are_returned(self, owner: User) -> None:
        held = claim(make_article(owner))
        do_step(held, "write:1", markdown="Roofs.")
        assert completed_outputs(held).get(StepKey.parse("write:1")) == {"markdown": "Roofs."}
        assert completed_outputs(held).get(StepKey.parse("write:2")) is None

    def test_a_failed_step_restarts_and_keeps_its_cost(self, owner: User) -> None:
        held = claim(make_article(owner))
        write_changes(held, [step_started("write:1")])
        write_changes(held, [step_failed("write:1", "The model was away.", Usage(calls=4))])
        assert completed_outputs(held).get(StepKey.parse("write:1")) is None
        write_changes(held, [step_started("write:1")])
        again = Step.objects.with_key(StepKey.parse("write:1")).get()
        assert (again.status, again.finished_at) == (StepStatus.STARTED, None)
        write_changes(held, [step_completed("write:1", SectionText(markdown="Now."), Usage(calls=1))])
        again = Step.objects.with_key(StepKey.parse("write:1")).get()
        assert (again.status, again.model_calls) == (StepStatus.COMPLETED, 5)

    def test_the_article_shows_a_step_in_progress_rather_than_one_that_ended(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        starts = {"write:1": "Section 1", "image:draw": "Drawing", "write:2": "Section 2"}
        write_changes(held, [step_started(key, message) for key, message in starts.items()])
        ended = SectionText(markdown="")
        for key, shown in (
            ("image:draw", ("WriterAgent", "Section 2")),
            ("write:2", ("WriterAgent", "Section 1")),
            ("write:1", ("WriterAgent", "Done")),
        ):
            write_changes(held, [step_completed(key, ended, Usage())])
            article.refresh_from_db()
            assert (article.current_agent, article.message) == shown
            assert article.events.latest("seq").payload["message"] == "Done", "the event is of the step that ended"

    def test_a_stage_is_skipped_once(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        write_changes(held, [StageSkipped("seo", "The brief asks for no SEO")])
        write_changes(held, [StageSkipped("seo", "The brief asks for no SEO")])
        assert [status for _, _, status in event_rows(article)].count("skipped") == 1

    def test_progress_is_the_share_of_planned_steps(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        write_changes(held, [PlanChanged({"research": 2, "write": 2})])
        do_step(held, "research:plan")
        article.refresh_from_db()
        assert article.progress == 25

    def test_progress_never_goes_back_when_steps_are_added(self, owner: User) -> None:
        article = make_article(owner)
        held = claim(article)
        write_changes(held, [PlanChanged({"research": 2})])
        do_step(held, "research:plan")
        write_changes(held, [PlanChanged({"research": 2, "write": 6})])
        write_changes(held, [step_started("research:read")])
        article.refresh_from_db()
        assert article.progress == 50

    def test_a_completed_step_needs_an_output(self, owner: User) -> None:
        held = claim(make_article(owner))
        with pytest.raises(IntegrityError), transaction.atomic():
            Step.objects.create(
                run_id=held.run_id, stage="write", kind="section", section=9, status=StepStatus.COMPLETED
            )


class TestEvents:
    def test_their_numbers_have_no_gaps(self, owner: User) -> None:
        article = make_completed_article(owner)
        assert [event.seq for event in article.events.all()] == list(range(1, article.last_seq + 1))

    def test_one_signal_is_sent_for_each_commit(
        self, owner: User, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[Any]]
    ) -> None:
        article, held = make_processing_article(owner)
        announced: list[tuple[int, int, int]] = []

        def on_events(sender: Any, *, article_id: int, first: int, last: int, **kwargs: Any) -> None:
            announced.append((article_id, first, last))

        events_recorded.connect(on_events)
        try:
            with django_capture_on_commit_callbacks(execute=True):
                write_changes(held, [step_started(f"write:{number}") for number in (1, 2, 3)])
        finally:
            events_recorded.disconnect(on_events)
        assert announced == [(article.pk, article.last_seq + 1, article.last_seq + 3)]

    def test_a_rollback_uses_no_number(self, owner: User) -> None:
        article = make_article(owner)
        with transaction.atomic():
            with article_transaction(article.pk) as tx:
                tx.log_event(Event.Type.STATUS_CHANGE, None, message="Never happened")
            transaction.set_rollback(True)
        article.refresh_from_db()
        assert article.last_seq == article.events.count() == 1

    def test_their_message_is_the_message_of_the_socket(self, owner: User) -> None:
        article = make_article(owner)
        do_step(claim(article), "write:3", done="182 words")
        last = article.events.last()
        assert last is not None
        message = last.as_message()
        assert message["type"] == "agent_update"
        assert message["agent"] == "WriterAgent"
        assert message["status"] == "completed"
        assert message["article_id"] == article.pk
        assert str(message["timestamp"]).endswith("Z")


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_take_numbers_in_the_order_of_their_commits(owner: User) -> None:
    article = make_article(owner)

    def write_events(count: int) -> None:
        try:
            for _ in range(count):
                with article_transaction(article.pk) as tx:
                    tx.log_event(Event.Type.STATUS_CHANGE, None, message="Written")
        finally:
            connection.close()

    threads = [threading.Thread(target=write_events, args=(10,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in article.events.order_by("id")] == list(range(1, 42))


class TestEndOfARun:
    def test_a_completed_run_stores_its_text_in_the_article(self, owner: User) -> None:
        article = make_completed_article(owner)
        assert article.status == Status.COMPLETED
        assert article.progress == 100
        assert article.completed_at is not None
        assert article.word_count > 20
        assert article.research_data
        assert article.research_data["sources"][0]["title"] == "City roofs surveyed"
        assert article.research_data["synthesis"]
        first = article.revisions.get()
        assert (first.number, first.content, first.saved_by, first.author) == (1, article.content, None, "The crew")

    def test_a_failed_run_stores_its_reason(self, owner: User) -> None:
        article, held = make_processing_article(owner)
        fail_run(held, "The model key is invalid (401). Check OPENAI_API_KEY.", FailureCode.MODEL_AUTH)
        article.refresh_from_db()
        run = article.latest_run()
        assert run is not None
        assert article.status == run.status == Status.FAILED
        assert run.reason == article.message
        assert run.finished_at is not None

    def test_a_run_cannot_fail_without_a_reason(self, owner: User) -> None:
        held = claim(make_article(owner))
        with pytest.raises(IntegrityError), transaction.atomic():
            fail_run(held, "", FailureCode.MODEL_UNAVAILABLE)

    def test_a_processing_run_must_be_claimed(self, owner: User) -> None:
        article = make_article(owner)
        with pytest.raises(IntegrityError), transaction.atomic():
            article.runs.update(status=Status.PROCESSING)

    def test_an_article_has_one_active_run(self, owner: User) -> None:
        article = make_article(owner)
        with pytest.raises(IntegrityError), transaction.atomic():
            Run.objects.create(article=article)

    def test_missing_seo_and_findings_are_stored_as_missing(self, owner: User) -> None:
        article = make_article(owner)
        bare = make_manuscript().model_copy(update={"seo": None, "findings": None})
        complete_run(claim(article), bare, notice="Done.")
        article.refresh_from_db()
        assert article.research_data
        assert (article.seo_meta, article.research_data["synthesis"], article.notice) == (None, "", "Done.")


def test_the_brief_is_read_with_its_sources(owner: User) -> None:
    sources = (NewSource(title="Survey", text="Roofs."), NewSource(url="https://example.org/roofs"))
    article = make_article(owner, sources=sources, tone="dry", keywords=["roof"])
    brief = read_brief(claim(article))
    assert (brief.topic, brief.tone, brief.keywords) == ("Rooftop gardens in the city", "dry", ["roof"])
    assert [(source.title, source.text, source.url) for source in brief.sources] == [
        ("Survey", "Roofs.", ""),
        ("", "", "https://example.org/roofs"),
    ]


@pytest.mark.django_db(transaction=True)
class TestRunJournal:
    async def test_a_step_is_performed_once(self) -> None:
        journal, asked = await make_journal(), []

        async def perform() -> SectionText:
            asked.append(1)
            return SectionText(markdown="Roofs.")

        spec = StepSpec(StepKey("write", "section", 1), SectionText, perform, "Writing", lambda made: "Written")
        assert (await journal.once(spec)).markdown == "Roofs."
        assert (await journal.once(spec)).markdown == "Roofs."
        assert asked == [1]

    async def test_a_failure_is_recorded_and_raised(self) -> None:
        journal = await make_journal()

        async def perform() -> SectionText:
            raise ModelError("The model key is invalid (401).")

        spec = StepSpec(StepKey("write", "section", 1), SectionText, perform, "Writing", lambda made: "Written")
        with pytest.raises(ModelError):
            await journal.once(spec)
        failed = await Step.objects.with_key(StepKey.parse("write:1")).aget()
        assert (failed.status, failed.message) == (StepStatus.FAILED, "The model key is invalid (401).")

    async def test_the_message_of_an_unexpected_error_is_not_shown(self) -> None:
        journal = await make_journal()

        async def perform() -> SectionText:
            raise FileNotFoundError("/srv/studio/secret.txt")

        spec = StepSpec(StepKey("write", "section", 1), SectionText, perform, "Writing", lambda made: "Written")
        with pytest.raises(FileNotFoundError):
            await journal.once(spec)
        assert (await Step.objects.with_key(StepKey.parse("write:1")).aget()).message == UNEXPECTED_ERROR
        last = await Event.objects.alatest("seq")
        assert "secret" not in str(last.payload)

    async def test_a_failed_draft_notification_does_not_fail_the_step(self, settings: Settings) -> None:
        journal = await make_journal()
        unreachable = {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:9"]},
        }
        settings.CHANNEL_LAYERS = {"default": unreachable}
        await journal.draft(StepKey.parse("write:1"), 0, "Roofs")
        await asyncio.sleep(0.2)
        await journal.draft(StepKey.parse("write:1"), 5, "Gardens")

    async def test_events_are_stored_if_their_notification_fails(
        self, settings: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        journal = await make_journal()
        settings.REDIS_ADDRESS = "redis://127.0.0.1:9"
        await journal.skip("seo", "The brief asks for no SEO")
        assert await Event.objects.filter(payload__status="skipped").acount() == 1
        assert "its notification failed" in caplog.text

    async def test_a_file_gets_a_unique_name(self) -> None:
        journal = await make_journal()
        first, second = await journal.keep_file("cover.png", b"a"), await journal.keep_file("cover.png", b"b")
        assert first != second
        assert first.startswith(f"covers/{journal.claim.article_id}/")
        assert first.endswith(".png")


def test_a_manuscript_has_the_sources_that_were_read() -> None:
    made: Manuscript = make_manuscript()
    assert set(made.research_data()) >= {"sources", "passages", "unread", "questions", "synthesis", "findings"}
