"""Real workers on a slow model are killed: other workers complete the runs without repeating calls."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
from django.contrib.auth.models import User
from redis import Redis

from agents.worker.run_article import STOPPED_MESSAGE
from articles.models import Article, Run, Status
from articles.runs.lease import claim_run, machine_id
from articles.runs.recovery import sweep
from articles.services import NewSource
from tests import prompts
from tests.factories import UserFactory, make_article
from tests.model_server import ModelServer
from tests.waiting import wait_until
from tests.worker_pool import running_workers

SURVEY = NewSource(title="Survey", text="Flat roofs are the largest unused surface of most cities and hold rain. " * 12)


@pytest.fixture(scope="module")
def slow_model() -> Iterator[ModelServer]:
    with ModelServer(token_seconds=0.01) as server:
        yield server


@pytest.fixture
def pool(
    transactional_db: None, program_environment: dict[str, str], slow_model: ModelServer, redis: Redis
) -> Iterator[subprocess.Popen[bytes]]:
    """Two workers of this test alone, so that it may kill them, with a short lease."""
    slow_model.reset()
    model = {"OPENAI_BASE_URL": slow_model.url, "OPENAI_API_KEY": "k", "LEASE_SECONDS": "3", "SEARCH_PROVIDER": "none"}
    with running_workers(redis, {**program_environment, **model}) as pool:
        yield pool


@pytest.fixture
def owner(transactional_db: None) -> User:
    return UserFactory.create()


def status_of(article: Article) -> str:
    return Article.objects.values_list("status", flat=True).get(pk=article.pk)


def completed_with_sweeper(article: Article) -> bool:
    sweep()
    return status_of(article) == Status.COMPLETED


def at_work(pool: subprocess.Popen[bytes], run: Run) -> psutil.Process:
    """The process that writes the article."""
    run.refresh_from_db()
    return psutil.Process(int(run.worker.rpartition(":")[2]))


@pytest.mark.parametrize("victim", ["the job", "its worker"])
def test_a_run_whose_process_is_killed_is_completed_by_another(
    pool: subprocess.Popen[bytes], slow_model: ModelServer, owner: User, victim: str
) -> None:
    article = make_article(owner, sources=(SURVEY,), min_words=300, include_image=False)
    run = article.runs.get()
    wait_until(lambda: bool(slow_model.prompts(prompts.WRITE)))
    horse = at_work(pool, run)
    done = {str(step) for step in run.steps.done()}
    assert {"research:find:1", "outline:plan"} <= done
    os.kill(horse.pid if victim == "the job" else horse.ppid(), signal.SIGKILL)
    wait_until(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE)
    wait_until(lambda: completed_with_sweeper(article))
    run.refresh_from_db()
    assert run.attempts == 2
    assert "goes on where it stopped" in " ".join(event.payload["message"] for event in article.events.all())
    seqs = [event.seq for event in article.events.all()]
    assert seqs == list(range(1, len(seqs) + 1))
    answered = Counter(call.prompt for call in slow_model.calls if call.status == 200)
    assert max(answered.values()) == 1, "the calls of a completed step were repeated"


def test_all_runs_of_a_killed_process_are_completed_by_others(
    program_environment: dict[str, str], slow_model: ModelServer, owner: User, redis: Redis
) -> None:
    slow_model.reset()
    slow_model.token_seconds = 0.05  # none may end before all have started
    model = {"OPENAI_BASE_URL": slow_model.url, "OPENAI_API_KEY": "k", "LEASE_SECONDS": "3", "SEARCH_PROVIDER": "none"}
    with running_workers(redis, {**program_environment, **model}, count=8) as pool:
        assert len(psutil.Process(pool.pid).children()) == 4
        articles = [make_article(owner, sources=(SURVEY,), min_words=300, include_image=False) for _ in range(8)]
        wait_until(lambda: Run.objects.filter(status=Status.PROCESSING).count() == 8)
        lost = list(Run.objects.filter(worker=articles[0].runs.get().worker))
        assert len(lost) == 2
        wait_until(lambda: all(run.steps.done().count() > 1 for run in lost))
        done = {step.pk: step.finished_at for run in lost for step in run.steps.done()}
        os.kill(int(lost[0].worker.rpartition(":")[2]), signal.SIGKILL)
        slow_model.token_seconds = 0.01
        wait_until(lambda: all(completed_with_sweeper(article) for article in articles))
    for run in lost:
        run.refresh_from_db()
    assert [run.attempts for run in lost] == [2, 2]
    kept = {step.pk: step.finished_at for run in lost for step in run.steps.done()}
    assert done.items() <= kept.items(), "a completed step was repeated"


def test_the_runs_of_stopped_workers_are_completed_by_new_ones(
    pool: subprocess.Popen[bytes], slow_model: ModelServer, owner: User, program_environment: dict[str, str]
) -> None:
    slow_model.fail(match=prompts.WRITE, hang=60, times=2)
    article = make_article(owner, sources=(SURVEY,), min_words=300, include_image=False)
    wait_until(lambda: bool(slow_model.prompts(prompts.WRITE)))
    pool.terminate()
    assert pool.wait(60) == 0
    assert status_of(article) == Status.PENDING
    last = article.events.last()
    assert last is not None
    assert last.payload["message"] == STOPPED_MESSAGE
    assert article.runs.get().attempts == 0, "stopping does not count as an attempt"
    assert all(call.ended for call in slow_model.calls)


def test_a_run_of_another_machine_is_lost_only_when_its_lease_expires(owner: User) -> None:
    """The pid of its worker means nothing on this machine."""
    article = make_article(owner)
    claim_run(article.runs.get().pk, worker="elsewhere/00000000:999999999", model="m")
    assert sweep() == 0
    Run.objects.update(worker=f"{machine_id()}:999999999")
    assert sweep() == 1
