"""Histograms and counters: what they measure, and that they add up over processes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import redis as redis_py
from django.db import transaction
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from agents.costs.usage import Usage
from agents.exceptions import FailureCode
from articles.models import Run, Step
from articles.runs import measurements
from articles.runs.journal import complete_run, fail_run
from articles.runs.measurements import OUTCOMES, QUEUE_WAIT, STEP_SECONDS, Recorder, measure_step, read_sums
from articles.runs.step_writer import write_changes
from articles.services import cancel_run
from tests.articles.test_metrics import isolated_metrics, scrape
from tests.environment import ROOT
from tests.factories import (
    UserFactory,
    claim,
    make_article,
    make_manuscript,
    make_processing_article,
    step_failed,
    step_started,
)

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["isolated_metrics"]  # the fixture lets scrape() read the metrics


@pytest.fixture(autouse=True)
def nothing_measured(redis: redis_py.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "recorder", Recorder())
    for measure in measurements.MEASURES:
        redis.delete(measure.key)


def test_all_samples_are_there_before_anything_happens() -> None:
    found = scrape()
    assert found["studio_step_seconds_count", "WriterAgent"] == 0
    assert found["studio_step_cost_dollars_bucket", "SEOAgent", "+Inf"] == 0
    assert found["studio_run_outcomes_total", "completed"] == found["studio_run_outcomes_total", "worker_died"] == 0
    assert found["studio_queue_wait_seconds_bucket", "5.0"] == found["studio_run_seconds_sum",] == 0


def test_it_measures_a_run_from_the_queue_to_its_end() -> None:
    article = make_article(UserFactory.create())
    moment = timezone.now()
    article.events.update(created_at=moment - timedelta(seconds=30))
    Run.objects.update(created_at=moment - timedelta(seconds=100))
    held = claim(article)
    started = step_started("write:1")
    write_changes(held, [started])
    Step.objects.update(started_at=timezone.now() - timedelta(seconds=4))
    write_changes(held, [step_failed("write:1", "It broke.", Usage(calls=1, cost=Decimal("0.02")))])
    Step.objects.update(cost="0.3")
    complete_run(held, make_manuscript(), notice="")
    found = scrape()
    buckets = [found["studio_queue_wait_seconds_bucket", bound] for bound in ("20.0", "40.0", "+Inf")]
    assert buckets == [0, 1, 1]
    assert 30 <= found["studio_queue_wait_seconds_sum",] < 40
    assert found["studio_step_seconds_count", "WriterAgent"] == 0, "the step was not completed"
    assert found["studio_step_cost_dollars_sum", "WriterAgent"] == pytest.approx(0.02)
    assert found["studio_run_seconds_count",] == 1
    assert 100 <= found["studio_run_seconds_sum",] < 120
    assert found["studio_run_cost_dollars_sum",] == pytest.approx(0.3)
    assert found["studio_run_outcomes_total", "completed"] == 1


def test_durations_of_completed_steps_are_sums_of_each_agent() -> None:
    article, _ = make_processing_article(UserFactory.create())
    found = scrape()
    assert found["studio_step_seconds_count", "ResearchAgent"] == 4
    assert found["studio_step_seconds_bucket", "ResearchAgent", "+Inf"] == 4
    assert found["studio_step_seconds_count", "OutlineAgent"] == 0, "its step is in progress"
    article.delete()
    assert scrape()["studio_step_seconds_count", "ResearchAgent"] == 4


def test_it_counts_outcomes() -> None:
    owner = UserFactory.create()
    fail_run(make_processing_article(owner)[1], "Any message.", FailureCode.MODEL_QUOTA)
    cancel_run(article=make_article(owner), by=owner)
    found = scrape()
    assert found["studio_run_outcomes_total", "model_quota"] == 1
    assert found["studio_run_outcomes_total", "cancelled"] == 1
    assert found["studio_run_outcomes_total", "completed"] == 0


def test_a_run_that_waited_for_its_provider_did_not_wait_for_a_worker() -> None:
    article = make_article(UserFactory.create())
    Run.objects.update(parked_since=timezone.now() - timedelta(hours=3))
    claim(article)
    assert scrape()["studio_queue_wait_seconds_count",] == 0


def test_what_is_rolled_back_is_not_measured() -> None:
    with transaction.atomic():
        step = Step(stage="write", kind="section", output={}, finished_at=timezone.now())
        measure_step(step, 1.0)
        transaction.set_rollback(True)
    assert read_sums()[STEP_SECONDS.name] == {}


def test_processes_add_up() -> None:
    script = (
        "import django; django.setup()\n"
        "from articles.runs.measurements import OUTCOMES, STEP_SECONDS, recorder\n"
        "for _ in range(50): recorder.observe(STEP_SECONDS, 0.75, 'WriterAgent'); recorder.count(OUTCOMES, 'completed')"
    )
    command = [sys.executable, "-c", script]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "contentstudio.settings"}
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    found = scrape()
    assert found["studio_step_seconds_bucket", "WriterAgent", "0.5"] == 0
    assert found["studio_step_seconds_bucket", "WriterAgent", "1.0"] == 100
    assert found["studio_step_seconds_sum", "WriterAgent"] == pytest.approx(75)
    assert found["studio_run_outcomes_total", "completed"] == 100


def test_while_redis_is_away_nothing_waits_and_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def away() -> Any:
        tries.append(1)
        raise RedisConnectionError("away")

    recorder = Recorder()
    with monkeypatch.context() as patched:
        patched.setattr(measurements, "redis_client", away)
        for _ in range(5):
            recorder.count(OUTCOMES, "completed")
        assert len(tries) == 1, "the others did not wait for it"
    monkeypatch.setattr(recorder, "_paused_until", 0.0)
    recorder.observe(QUEUE_WAIT, 2.0)
    sums = read_sums()
    assert sums[OUTCOMES.name] == {"completed|sum": 5}
    assert sums[QUEUE_WAIT.name] == {"|2.5": 1, "|sum": 2}


def test_a_scrape_reads_the_same_after_any_number_of_steps() -> None:
    recorder = Recorder()
    for number in range(700):
        recorder.observe(STEP_SECONDS, number / 4, "WriterAgent")
    before = sum(len(fields) for fields in read_sums().values())
    for number in range(700):
        recorder.observe(STEP_SECONDS, number / 4, "WriterAgent")
    assert sum(len(fields) for fields in read_sums().values()) == before <= len(STEP_SECONDS.bounds) + 2


def test_without_redis_the_rest_is_there(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise RedisConnectionError("away")

    monkeypatch.setattr(measurements, "redis_client", away)
    found = scrape()
    assert found["studio_queue_depth",] == 0
    assert ("studio_run_seconds_sum",) not in found
