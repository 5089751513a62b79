"""The pool of forked workers, with real processes that do something simpler than write articles."""

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

def tell(word):
    os.write(1, f"{word} {os.getpid()}\\n".encode())

def sleep():
    tell("up")
    time.sleep(600)
"""


class Session:
    """A pool in a process of its own, and what its workers have said."""

    def __init__(self, script: str, directory: Path) -> None:
        self._log = directory / "log"
        with self._log.open("w") as log:
            command = [sys.executable, "-c", HEAD + dedent(script)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    def said(self, word: str = "up") -> list[int]:
        """The pids that have said ``word``, in their order."""
        return [int(line.split()[1]) for line in self._log.read_text().splitlines() if line.startswith(f"{word} ")]

    def wait_for(self, count: int, word: str = "up") -> list[int]:
        wait_until(lambda: len(self.said(word)) >= count)
        return self.said(word)


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


def test_it_forks_as_many_workers_as_it_is_told(start):
    session = start("Pool([sleep] * 3).run()")
    assert len(set(session.wait_for(3))) == 3
    assert len(psutil.Process(session.process.pid).children()) == 3


def test_it_replaces_a_worker_that_was_killed(start):
    session = start("Pool([sleep] * 2).run()")
    killed, kept = session.wait_for(2)
    os.kill(killed, signal.SIGKILL)
    session.wait_for(3)
    living = {child.pid for child in psutil.Process(session.process.pid).children()}
    assert living == {kept, session.said()[-1]}


def test_it_replaces_a_worker_that_failed_and_tells_why(start):
    session = start(
        """
        import logging; logging.basicConfig()
        def fail():
            tell("up")
            raise LookupError("no pen")
        Pool([fail]).run()
        """
    )
    session.wait_for(2)
    assert "LookupError: no pen" in session._log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_its_workers(start, number):
    session = start("Pool([sleep] * 3).run()")
    workers = session.wait_for(3)
    session.process.send_signal(number)
    assert session.process.wait(timeout=20) == 0
    assert not any(psutil.pid_exists(pid) for pid in workers)


def test_a_signal_while_a_successor_is_awaited_stops_it(start):
    session = start("pool.RESPAWN_DELAY = 60; Pool([sleep]).run()")
    (pid,) = session.wait_for(1)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(pid))
    session.process.terminate()
    assert session.process.wait(timeout=20) == 0


def test_a_worker_may_finish_what_it_does(start):
    session = start(
        """
        def finish():
            signal.signal(signal.SIGTERM, lambda *_: None)
            tell("up")
            time.sleep(0.5)
            tell("done")
            time.sleep(0.5)
        Pool([finish], grace=5).run()
        """
    )
    session.wait_for(1)
    session.process.terminate()
    assert session.process.wait(timeout=20) == 0
    assert session.said("done")


def test_a_worker_that_will_not_end_is_asked_twice_and_killed(start):
    session = start(
        """
        def refuse():
            signal.signal(signal.SIGTERM, lambda *_: tell("asked"))
            tell("up")
            while True:
                time.sleep(600)
        Pool([refuse], grace=0.3, insistence=0.3).run()
        """
    )
    (pid,) = session.wait_for(1)
    session.process.terminate()
    assert session.process.wait(timeout=20) == 0
    assert session.said("asked") == [pid, pid]
    assert not psutil.pid_exists(pid)


def test_killed_outright_it_leaves_no_worker(start):
    session = start("Pool([sleep] * 3).run()")
    workers = session.wait_for(3)
    session.process.kill()
    session.process.wait()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in workers))


@pytest.mark.parametrize(("gigabytes", "count"), [(0.5, 4), (2, 6), (7.6, 25), (16, 48), (256, 48)])
def test_memory_decides_how_many_articles_are_written_at_once(monkeypatch, gigabytes, count):
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
def test_articles_are_shared_out_among_workers(articles, most, places):
    assert pool.shares(articles, most) == places


def test_it_replaces_a_worker_by_one_that_does_the_same(start):
    session = start(
        """
        def other():
            tell("other")
            time.sleep(600)
        Pool([sleep, other]).run()
        """
    )
    [kept], [killed] = session.wait_for(1), session.wait_for(1, "other")
    os.kill(killed, signal.SIGKILL)
    session.wait_for(2, "other")
    assert session.said() == [kept]


def test_the_memory_is_this_machines():
    assert 2**28 < pool.memory() <= psutil.virtual_memory().total


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc, which alone keeps what was freed")
def test_what_a_picture_took_is_given_back():
    """What is pinned between large blocks keeps glibc from returning them, where it takes them for worth keeping."""
    script = """
        from agents.worker.pool import give_memory_back
        import psutil
        give_memory_back()
        resident = psutil.Process().memory_info
        first = b"x" * 16_000_000
        del first  # glibc would keep all of this size from now on
        before = resident().rss
        blocks = [(b"x" * 2_000_000, bytes(4000)) for _ in range(8)]
        pins = [pin for _, pin in blocks]
        del blocks
        print(resident().rss - before)
    """
    done = subprocess.run([sys.executable, "-c", dedent(script)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 4_000_000
