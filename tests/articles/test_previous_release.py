"""Upgrading from the previous release: its database, files, backup and queued jobs."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from redis import Redis
from rq.job import Job

from agents.worker.jobs import run_now
from articles.evidence.standing import current_text
from articles.models import Article, Run, SpendingLimit, Status, Step, StepStatus
from articles.runs.outages import enqueue_resumed
from articles.runs.recovery import sweep
from articles.runs.stages import stages_of
from articles.services import approve_outline, retry_run, start_run
from tests import prompts
from tests.agents.test_jobs import configure
from tests.articles.clients import client_of
from tests.model_server import ModelServer
from tests.previous_release import database_file, enqueue_jobs, restore

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files", "previous")]

STATUSES = {
    "Rooftop gardens in cities": Status.COMPLETED,
    "Roofs without a picture": Status.COMPLETED,
    "An outline that waits": Status.AWAITING_APPROVAL,
    "An outline made three times": Status.COMPLETED,
    "Xylophones zzz qqq": Status.FAILED,
    "Finished, then rewritten in vain": Status.FAILED,
    "What a planted roof costs and saves": Status.COMPLETED,
    "Paused at its limit": Status.PAUSED,
    "Cancelled on the way": Status.CANCELLED,
    "Refused by the provider": Status.FAILED,
    "Waits for its provider": Status.PENDING,
    "Its worker was killed": Status.PROCESSING,
    "Waits for a worker": Status.PENDING,
    "Waits behind it": Status.PENDING,
    "Sections that are far too short": Status.COMPLETED,
}


@pytest.fixture
def previous(transactional_db: None, tmp_path: Path) -> None:
    restore(tmp_path)


@pytest.fixture(autouse=True)
def offline(settings: Settings) -> None:
    settings.SEARCH_PROVIDER, settings.HAS_MODEL, settings.RUNS_PER_USER = "none", False, 10


def article(topic: str) -> Article:
    return Article.objects.get(topic=topic)


def steps_before(tmp_path: Path) -> list[tuple[int, str, str]]:
    with closing(sqlite3.connect(database_file(tmp_path))) as before:
        return before.execute("SELECT id, key, status FROM articles_step ORDER BY id").fetchall()


class TestMigration:
    def test_it_contains_every_state_and_kind_of_step(self) -> None:
        assert dict(Article.objects.values_list("topic", "status")) == STATUSES
        kinds = set(Step.objects.values_list("stage", "kind").distinct())
        assert kinds == {
            *(("research", kind) for kind in ("plan", "read", "find", "synthesis")),
            *(("outline", kind) for kind in ("make", "section", "approved")),
            *(("write", kind) for kind in ("section", "length")),
            *(("edit", kind) for kind in ("review", "section", "length", "evidence")),
            *(("seo", kind) for kind in ("describe", "skipped")),
            *(("image", kind) for kind in ("prompt", "draw", "skipped")),
        }

    def test_every_step_has_the_columns_of_its_key(self, tmp_path: Path) -> None:
        before = steps_before(tmp_path)
        after = [(step.pk, str(step), step.status) for step in Step.objects.order_by("pk")]
        assert after == [(id, key.partition("#")[0], status) for id, key, status in before]
        replaced = [str(step) for step in Step.objects.filter(status=StepStatus.SUPERSEDED)]
        assert Counter(replaced) == {"outline:make": 2, "outline:1": 2, "outline:2": 2}
        assert Step.objects.filter(stage="write", kind="length", section=3, attempt=2).count() == 1
        assert Step.objects.filter(stage="edit", kind="evidence", section=3, attempt=3).count() == 1

    def test_the_timeline_is_unchanged(self) -> None:
        run = article("Sections that are far too short").latest_run()
        assert run is not None
        shown = {stage.stage: stage.message for stage in stages_of(run, list(run.steps.current().defer("output")))}
        assert shown["research"] == "4 questions, 2 sources"
        assert shown["outline"] == "4 sections"
        assert shown["write"] == "4 sections"
        assert re.fullmatch(r"\d sections? edited, \d+ of \d+ sentences supported", shown["edit"])
        approved = article("An outline made three times").latest_run()
        assert approved is not None
        [outline] = [stage for stage in stages_of(approved, list(approved.steps.current())) if stage.stage == "outline"]
        assert (outline.message, outline.status) == ("2 sections", "completed")

    def test_runs_that_failed_have_a_code(self) -> None:
        codes = dict(Run.objects.exclude(failure_code="").values_list("article__topic", "failure_code"))
        assert codes == {
            "Xylophones zzz qqq": "nothing_to_read",
            "Finished, then rewritten in vain": "nothing_to_read",
            "Refused by the provider": "model_auth",
            "Paused at its limit": "spending_limit",
            "Waits for its provider": "model_unavailable",
        }

    def test_spending_limits_are_kept(self) -> None:
        assert SpendingLimit.objects.get().user.get_username() == "ben"

    def test_it_can_be_reversed(self, tmp_path: Path) -> None:
        call_command("migrate", "articles", "0005", verbosity=0)
        steps = MigrationExecutor(connection).loader.project_state([("articles", "0005_spending_limit")])
        stored = steps.apps.get_model("articles", "Step").objects.order_by("pk").values_list("pk", "key", "status")
        assert list(stored) == steps_before(tmp_path)
        call_command("migrate", verbosity=0)
        assert str(Step.objects.get(stage="edit", kind="evidence", section=3, attempt=3)) == "edit:evidence:3:again-2"


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestReading:
    @pytest.mark.parametrize("name", ["article_detail", "revision_list", "article_live"])
    def test_the_pages_of_every_article_open(self, name: str) -> None:
        client = browser_of(User.objects.get(username="admin"))
        for found in Article.objects.all():
            page = client.get(reverse(name, args=[found.pk]), {"after": 0} if name == "article_live" else {})
            assert page.status_code == 200, (name, found.topic)

    def test_the_text_has_its_image(self) -> None:
        found = article("Rooftop gardens in cities")
        client = browser_of(found.owner)
        page = client.get(found.get_absolute_url()).content.decode()
        assert found.title in page
        assert "biggest unused surface" in page, "as a person edited it"
        assert client.get(found.image_url).status_code == 200

    def test_the_admin_pages_of_its_runs_open(self) -> None:
        client = browser_of(User.objects.get(username="admin"))
        for run in Run.objects.all():
            assert client.get(reverse("admin:articles_run_change", args=[run.pk])).status_code == 200

    @pytest.mark.parametrize("part", ["status", "cost", "evidence", "events", "sources", "outline", "revisions"])
    def test_the_api_reads_every_article(self, part: str) -> None:
        client = client_of(User.objects.get(username="admin"))
        for found in Article.objects.all():
            answer = client.get(f"/api/articles/{found.pk}/{part}")
            assert answer.status_code in (200, 404, 409), (part, found.topic)
            assert answer.status_code == 200 or part in ("outline", "evidence"), (part, found.topic)

    def test_the_api_returns_the_results(self) -> None:
        found = article("Sections that are far too short")
        client = client_of(found.owner)
        result = client.get(f"/api/articles/{found.pk}/result").json()
        assert result["content"] == found.content
        evidence = client.get(f"/api/articles/{found.pk}/evidence").json()
        assert len(evidence["items"]) == found.runs.get().evidence.count() > 0
        stages = client.get(f"/api/articles/{found.pk}/cost").json()["stages"]
        assert [stage["stage"] for stage in stages] == ["research", "outline", "write", "edit", "seo", "image"]
        events = client.get(f"/api/articles/{found.pk}/events").json()["items"]
        assert "edit:evidence:3:again-1" in {event.get("step") for event in events}


class TestContinuing:
    @pytest.fixture
    def model(self, settings: Settings) -> Iterator[ModelServer]:
        with ModelServer(token_seconds=0.0005) as server:
            configure(settings, server)
            yield server

    @pytest.mark.parametrize("topic", ["Paused at its limit", "Cancelled on the way"])
    def test_a_stopped_run_is_resumed_without_repeating_steps(self, model: ModelServer, topic: str) -> None:
        found = article(topic)
        done = {str(step): step.output for step in found.runs.get().steps.done()}
        run = retry_run(article=found, by=found.owner)
        assert run_now(run.pk)
        found.refresh_from_db()
        assert found.status == Status.COMPLETED, found.message
        assert done.items() <= {str(step): step.output for step in run.steps.done()}.items()
        assert not [call for call in model.calls if prompts.WRITE in call.prompt and "write:1" in done]

    def test_an_outline_that_waits_is_approved_and_written(self) -> None:
        found = article("An outline that waits")
        run = approve_outline(article=found, by=found.owner)
        assert run_now(run.pk)
        found.refresh_from_db()
        assert found.status == Status.COMPLETED, found.message

    def test_an_article_is_written_again(self) -> None:
        found = article("Rooftop gardens in cities")
        assert run_now(start_run(article=found, by=found.owner).pk)
        found.refresh_from_db()
        assert (found.status, found.runs.count()) == (Status.COMPLETED, 2)

    def test_a_run_whose_worker_died_is_requeued(self) -> None:
        found = article("Its worker was killed")
        sweep()
        found.refresh_from_db()
        assert (found.status, found.runs.get().attempts) == (Status.PENDING, 1)

    def test_a_run_that_waits_for_its_provider_is_resumed_once_it_answers(self) -> None:
        waiting = article("Waits for its provider").runs.get()
        assert waiting.is_parked
        Run.objects.filter(pk=waiting.pk).update(awaited_model="", not_before=None)
        assert enqueue_resumed() == 1
        waiting.refresh_from_db()
        assert (waiting.reason, waiting.failure_code) == ("", "")

    def test_jobs_with_the_old_name_are_performed(self, redis: Redis) -> None:
        Run.objects.exclude(awaited_model="").update(not_before=timezone.now() + timedelta(hours=1))
        jobs = [Job.fetch(id, connection=redis) for id in enqueue_jobs(redis)]
        assert {job.func_name for job in jobs} == {"agents.jobs.run_next"}
        for job in jobs:
            job.perform()
        assert {article(topic).status for topic in ("Waits for a worker", "Waits behind it")} == {Status.COMPLETED}


def test_the_evidence_of_its_texts_stands_and_nothing_in_them_is_new() -> None:
    checked = 0
    for article in Article.objects.exclude(content=""):
        text = current_text(article)
        assert all(sentence.stands for sentence in text.sentences)
        checked += len(text.sentences)
    assert checked > 50
