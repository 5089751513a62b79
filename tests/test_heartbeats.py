"""Heartbeats as files: their age, and what a killed pool leaves behind."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from pathlib import Path

import pytest

from agents.worker import jobs
from agents.worker.rq_worker import LivingBackoff
from contentstudio.runtime import heartbeats
from contentstudio.runtime.heartbeats import WORKER_KINDS, Heartbeat

ENDED = 4_194_304 + 1  # more than the highest pid of Linux


def test_the_age_is_that_of_the_last_beat(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path / "local", "worker-7-1")
    heartbeat.beat()
    time.sleep(0.2)
    assert 0.2 <= heartbeats.ages(tmp_path / "local", WORKER_KINDS)["worker-7-1"] < 5
    heartbeat.beat()
    assert heartbeats.ages(tmp_path / "local", WORKER_KINDS)["worker-7-1"] < 0.2
    assert [path.name for path in (tmp_path / "local").iterdir()] == ["worker-7-1.heartbeat"]
    heartbeat.remove()
    assert heartbeats.ages(tmp_path / "local", WORKER_KINDS) == {}


def test_a_beat_of_an_earlier_boot_is_old(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path, "sweeper")
    heartbeat.path.write_text(str(time.monotonic() + 1000))
    assert heartbeats.ages(tmp_path, [heartbeats.SWEEPER]) == {"sweeper": float("inf")}


def test_a_beat_that_cannot_be_written_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        Heartbeat(tmp_path / "file", "worker-1-1").beat()
    assert "cannot be written" in caplog.text


def test_a_new_pool_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    for pool in (ENDED, os.getpid(), 1):
        for kind in WORKER_KINDS:
            Heartbeat(tmp_path, f"{kind}-{pool}-1").beat()
    heartbeats.remove_of_ended_pools(tmp_path, WORKER_KINDS)
    assert heartbeats.ages(tmp_path, WORKER_KINDS).keys() == {"worker-1-1", "job-1-1"}


def test_each_attempt_to_reach_redis_is_a_heartbeat(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path, "worker-1-1")
    assert LivingBackoff(0.25, heartbeat).compute(1) == 0.25
    assert heartbeat.path.exists()


async def test_a_writing_process_beats_until_its_event_loop_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "INTERVAL", 0.02)
    async with jobs.kept_beating(Heartbeat(tmp_path, "job-1-1")):
        await asyncio.sleep(0.3)
        assert heartbeats.ages(tmp_path, WORKER_KINDS)["job-1-1"] < 0.2
        time.sleep(0.3)
        assert heartbeats.ages(tmp_path, WORKER_KINDS)["job-1-1"] >= 0.3
