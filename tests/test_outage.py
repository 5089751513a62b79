"""Real workers whose model provider is unavailable: the queue waits with few calls, and is finished after the outage."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from redis import Redis

from articles.models import Article, Run, Status
from articles.runs.recovery import sweep
from articles.services import NewSource
from tests.factories import UserFactory, make_article
from tests.model_server import ModelServer
from tests.waiting import wait_until
from tests.worker_pool import running_workers

SURVEY = NewSource(title="Survey", text="Flat roofs are the largest unused surface of most cities and hold rain. " * 12)
RUNS = 5


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def pool(
    transactional_db: None, program_environment: dict[str, str], model: ModelServer, redis: Redis
) -> Iterator[subprocess.Popen[bytes]]:
    """Two workers that try a call twice and then park the run."""
    patience = {"LLM_PATIENCE": "1", "LLM_MODEL": "test-model", "SEARCH_PROVIDER": "none"}
    environment = {**program_environment, "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "k", **patience}
    with running_workers(redis, environment) as pool:
        yield pool


def with_status(status: Status) -> int:
    return Article.objects.filter(status=status).count()


def swept_and_completed() -> bool:
    sweep()
    return with_status(Status.COMPLETED) == RUNS


def test_queued_runs_wait_for_their_model_and_resume_by_themselves(
    pool: subprocess.Popen[bytes], model: ModelServer
) -> None:
    model.fail(status=503, times=10_000)
    owners = UserFactory.create(), UserFactory.create()
    for number in range(RUNS):
        topic = f"Rooftop gardens in city {number}"
        make_article(owners[number % 2], topic=topic, sources=(SURVEY,), min_words=300, include_image=False)
    wait_until(lambda: Run.objects.filter(status=Status.PENDING).exclude(awaited_model="").count() == RUNS)
    assert len({call.prompt for call in model.calls}) <= 3 * 3, (
        "two or three runs find it unavailable, each with findings, outline and second draft; the others wait without a call"
    )
    model.faults.clear()
    Run.objects.update(not_before=timezone.now(), enqueued_at=timezone.now() - timedelta(minutes=1))
    wait_until(swept_and_completed, seconds=120)
    answered = Counter(call.prompt for call in model.calls if call.status == 200)
    assert max(answered.values()) == 1
    assert {run.attempts for run in Run.objects.all()} == {1}
