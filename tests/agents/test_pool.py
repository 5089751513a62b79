"""The pool of forked workers, with real processes and simple functions as workers."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from agents.worker import pool
from tests.environment import ROOT
from tests.waiting import wait_until

HEAD = """
import os, signal, sys, time
from agents.worker import pool
from agents.worker.pool import Pool

pool.RESPAWN_DELAY = 0.1

def report(word):
    os.write(1, f"{word} {os.getpid()}\\n".encode())

def sleep():
    report("up")
    time.sleep(600)
"""


class Session:
    """A pool in a process of its own, and what its workers have reported."""

    def __init__(self, script: str, directory: Path) -> None:
        self._log = directory / "log"
        with self._log.open("w") as log:
            command = [sys.executable, "-c", HEAD + dedent(script)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    def reported(self, word: str = "up") -> list[int]:
        """The pids that have reported ``word``, in their order."""
        return [int(line.split()[1]) for line in self._log.read_text().splitlines() if line.startswith(f"{word} ")]

    def wait_for(self, count: int, word: str = "up") -> list[int]:
        wait_until(lambda: len(self.reported(word)) >= count)
        return self.reported(word)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Session]]:
    sessions: list[Session] = []

    def start(script: str) -> Session:
        sessions.append(Session(script, tmp_path))
        return sessions[-1]

    yield start
    for session in sessions:
        session.process.kill()
        session.process.wait()


def test_it_forks_the_given_number_of_workers(start: Callable[[str], Session]) -> None:
    session = start("Pool([sleep] * 3).run()")
    assert len(set(session.wait_for(3))) == 3
    assert len(psutil.Process(session.process.pid).children()) == 3


def test_it_replaces_a_killed_worker(start: Callable[[str], Session]) -> None:
    session = start("Pool([sleep] * 2).run()")
    killed, kept = session.wait_for(2)
    os.kill(killed, signal.SIGKILL)
    session.wait_for(3)
    living = {child.pid for child in psutil.Process(session.process.pid).children()}
    assert living == {kept, session.reported()[-1]}


def test_it_replaces_a_failed_worker_and_logs_the_error(start: Callable[[str], Session]) -> None:
    session = start(
        """
        import logging; logging.basicConfig()
        def fail():
            report("up")
            raise LookupError("broken")
        Pool([fail]).run()
        """
    )
    session.wait_for(2)
    assert "LookupError: broken" in session._log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_its_workers(start: Callable[[str], Session], number: signal.Signals) -> None:
    session = start("Pool([sleep] * 3).run()")
    workers = session.wait_for(3)
    session.process.send_signal(number)
    assert session.process.wait(timeout=20) == 0
    assert not any(psutil.pid_exists(pid) for pid in workers)


def test_a_signal_during_the_respawn_delay_stops_it(start: Callable[[str], Session]) -> None:
    session = start("pool.RESPAWN_DELAY = 60; Pool([sleep]).run()")
    (pid,) = session.wait_for(1)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid))
    session.process.terminate()
    assert session.process.wait(timeout=20) == 0


def test_a_worker_may_finish_its_job(start: Callable[[str], Session]) -> None:
    session = start(
        """
        def finish():
            signal.signal(signal.SIGTERM, lambda *_: None)
            report("up")
            time.sleep(0.5)
            report("done")
            time.sleep(0.5)
        Pool([finish], grace=5).run()
        """
    )
    session.wait_for(1)
    session.process.terminate()
    assert session.process.wait(timeout=20) == 0
    assert session.reported("done")


def test_a_worker_that_ignores_two_signals_is_killed(start: Callable[[str], Session]) -> None:
    session = start(
        """
        def refuse():
            signal.signal(signal.SIGTERM, lambda *_: report("asked"))
            report("up")
            while True:
                time.sleep(600)
        Pool([refuse], grace=0.3, insistence=0.3).run()
        """
    )
    (pid,) = session.wait_for(1)
    session.process.terminate()
    assert session.process.wait(timeout=20) == 0
    assert session.reported("asked") == [pid, pid]
    assert not psutil.pid_exists(pid)


def test_a_killed_pool_leaves_no_worker(start: Callable[[str], Session]) -> None:
    session = start("Pool([sleep] * 3).run()")
    workers = session.wait_for(3)
    session.process.kill()
    session.process.wait()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))


@pytest.mark.parametrize(("gigabytes", "count"), [(0.5, 4), (2, 6), (7.6, 25), (16, 48), (256, 48)])
def test_the_default_number_of_articles_depends_on_the_memory(
    monkeypatch: pytest.MonkeyPatch, gigabytes: float, count: int
) -> None:
    monkeypatch.setattr(pool, "memory", lambda: int(gigabytes * 1024**3))
    assert pool.default_count() == count


@pytest.mark.parametrize(
    ("articles", "most", "places"),
    [
        (1, 4, [1]),
        (3, 4, [1, 1, 1]),
        (4, 4, [1, 1, 1, 1]),
        (6, 4, [2, 2, 1, 1]),
        (16, 4, [4, 4, 4, 4]),
        (20, 4, [4, 4, 4, 4, 4]),
        (22, 4, [4, 4, 4, 4, 3, 3]),
        (7, 1, [1] * 7),
    ],
)
def test_articles_are_distributed_among_workers(articles: int, most: int, places: list[int]) -> None:
    assert pool.shares(articles, most) == places


def test_a_replacement_runs_the_same_function(start: Callable[[str], Session]) -> None:
    session = start(
        """
        def other():
            report("other")
            time.sleep(600)
        Pool([sleep, other]).run()
        """
    )
    [kept], [killed] = session.wait_for(1), session.wait_for(1, "other")
    os.kill(killed, signal.SIGKILL)
    session.wait_for(2, "other")
    assert session.reported() == [kept]


def test_the_memory_is_that_of_this_machine() -> None:
    assert 2**28 < pool.memory() <= psutil.virtual_memory().total


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc keeps freed memory")
def test_freed_blocks_are_returned_to_the_system() -> None:
    """glibc keeps large blocks that have small allocations between them, unless its thresholds are set."""
    script = """
        from agents.worker.pool import return_freed_memory
        import psutil
        return_freed_memory()
        resident = psutil.Process().memory_info
        first = b"x" * 16_000_000
        del first  # by default glibc keeps blocks of this size from now on
        before = resident().rss
        blocks = [(b"x" * 2_000_000, bytes(4000)) for _ in range(8)]
        pins = [pin for _, pin in blocks]
        del blocks
        print(resident().rss - before)
    """
    done = subprocess.run([sys.executable, "-c", dedent(script)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4_000_000
