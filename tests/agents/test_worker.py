"""Real workers that have imported CrewAI, with jobs that only wait."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django_rq
import psutil
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from pytest_django import Settings
from redis import Redis
from rq import Worker
from rq.job import Job

from agents.worker.rq_worker import RECONNECT_EVERY, CrewWorker
from articles.runs.workers import capacity, living_workers
from contentstudio.runtime import redis_server
from contentstudio.runtime.heartbeats import ages
from tests.waiting import wait_until
from tests.worker_pool import running_workers

CAPACITY_JOB = """[
    open(f"{meeting}/{__import__('os').getpid()}", "w").close(),
    [__import__("time").sleep(0.05) for _ in iter(lambda: len(__import__("os").listdir(meeting)) < 6, False)],
    __import__("agents.worker.jobs").worker.jobs.capacity.get(),
][-1]"""
"""A job that waits until six run, each in its own process, and returns its capacity."""


def enqueue(function: str, *arguments: object) -> Job:
    return django_rq.get_queue("articles").enqueue(function, *arguments)


def horses(pool: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The processes that perform jobs: children of the pool's workers."""
    return [horse for worker in psutil.Process(pool.pid).children() for horse in worker.children()]


def at_work(pool: subprocess.Popen[bytes], job: Job) -> psutil.Process:
    """The process that performs ``job``, once those of earlier jobs have ended."""
    wait_until(lambda: job.is_started and len(horses(pool)) == 1)
    return horses(pool)[0]


def test_a_job_runs_in_its_own_process(workers: subprocess.Popen[bytes]) -> None:
    job = enqueue("os.getpid")
    wait_until(lambda: job.is_finished)
    known = {workers.pid, os.getpid(), *(child.pid for child in psutil.Process(workers.pid).children())}
    assert job.return_value() not in known


BEATING_JOB = """[
    __import__("agents.worker.jobs").worker.jobs.heartbeat.get().beat(),
    __import__("time").sleep(60),
]"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_heartbeat_of_a_job_ends_with_it(workers: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Otherwise an idle worker would be unhealthy."""
    job = enqueue("builtins.eval", BEATING_JOB)
    wait_until(lambda: ages(settings.LOCAL, ["job"]))
    os.kill(at_work(workers, job).pid, number)
    wait_until(lambda: not ages(settings.LOCAL, ["job"]))
    assert len(ages(settings.LOCAL, ["worker"])) == 2


def test_a_job_starts_with_the_crew_already_imported(workers: subprocess.Popen[bytes]) -> None:
    job = enqueue("builtins.eval", "'crewai' in __import__('sys').modules")
    wait_until(lambda: job.is_finished)
    assert job.return_value() is True


def test_a_job_dies_with_its_worker(workers: subprocess.Popen[bytes]) -> None:
    horse = at_work(workers, enqueue("time.sleep", 600))
    worker = horse.parent()
    assert worker is not None
    worker.kill()
    wait_until(lambda: not horse.is_running())
    wait_until(lambda: len(psutil.Process(workers.pid).children()) == 2)


def test_a_worker_continues_after_its_job_was_killed(workers: subprocess.Popen[bytes]) -> None:
    at_work(workers, enqueue("time.sleep", 600)).send_signal(signal.SIGKILL)
    job = enqueue("os.getpid")
    wait_until(lambda: job.is_finished)


def test_worker_timeouts_are_short(redis: Redis) -> None:
    worker = CrewWorker(["articles"], connection=redis)
    assert (worker.worker_ttl, worker.maintenance_interval, worker.job_monitoring_interval) == (25, 10, 5)


def test_a_worker_waits_for_an_unavailable_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default RQ gives up at once, and the job ends with its worker."""
    with TemporaryDirectory(dir="/tmp") as place, ExitStack() as stack:
        socket, waits = Path(place, "redis.sock"), []
        address = f"unix://{socket}"

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 50:
                server = stack.enter_context(subprocess.Popen(redis_server.server_command(socket, Path(place))))
                stack.callback(server.kill)
                assert redis_server.wait_until_reachable(address)

        monkeypatch.setattr("redis.retry.sleep", wait)
        connection = stack.enter_context(Redis.from_url(address))
        worker = CrewWorker(["articles"], connection=connection, prepare_for_work=False)
        worker.heartbeat()
        assert connection.hexists(worker.key, "last_heartbeat")
        assert waits == [RECONNECT_EVERY] * 50


def test_a_worker_registers_again_after_redis_was_emptied(redis: Redis) -> None:
    redis.delete("rq:workers", "rq:workers:articles")
    assert living_workers() == 0
    worker: Worker = CrewWorker(["articles"], connection=redis, capacity=3)
    worker.heartbeat()
    assert (living_workers(), capacity()) == (1, 3)
    assert [each.name for each in CrewWorker.all(connection=redis)] == [worker.name]
    worker.register_death()


def test_a_job_has_the_capacity_of_its_worker(
    workers: subprocess.Popen[bytes], program_environment: dict[str, str], redis: Redis, tmp_path: Path
) -> None:
    """Two workers have a capacity of 1; four that share 6 places have 2, 2, 1 and 1."""
    with running_workers(redis, program_environment, count=6) as pool:
        jobs = [enqueue("builtins.eval", CAPACITY_JOB, {"meeting": str(tmp_path)}) for _ in range(6)]
        wait_until(lambda: all(job.is_finished for job in jobs))
        assert len(psutil.Process(pool.pid).children()) == 4
    capacities: list[Any] = [job.return_value() for job in jobs]
    assert sorted(capacities) == [1, 1, 1, 1, 2, 2]


def test_the_command_refuses_workers_without_capacity(settings: Settings) -> None:
    settings.ARTICLES_PER_WORKER = 0
    with pytest.raises(CommandError, match="ARTICLES_PER_WORKER must be 1 or more"):
        call_command("workers", count=1)


@pytest.mark.parametrize("count", [0, -3])
def test_the_command_refuses_less_than_one_worker(count: int) -> None:
    with pytest.raises(CommandError, match="must be 1 or more"):
        call_command("workers", count=count)
