"""The supervisor, with small real programs: what it keeps running, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from contentstudio.runtime.supervisor import how_it_ended
from tests.environment import ROOT
from tests.waiting import wait_until

HEAD = """
import asyncio, sys
from contentstudio.runtime import supervisor
from contentstudio.runtime.supervisor import Program, Supervisor

supervisor.FIRST_DELAY = 0.05
PYTHON = [sys.executable, "-c"]
SLEEPER = "import os, time; print('up', os.getpid()); time.sleep(600)"
# Forks a child of its own that knows nothing of the supervisor, and outlives a SIGTERM as its parent does.
STUBBORN = (
    "import os, signal, time; signal.signal(15, lambda *_: print('no')); os.fork();"
    "os.write(1, b'up %d\\\\n' % os.getpid()); time.sleep(600)"  # in one piece: two write at a time
)

async def at_once():
    pass

async def told():
    print("ready", flush=True)

def say(line):
    print(line, flush=True)

def keep(*programs, founded=at_once, **limits):
    async def main():
        await Supervisor(programs, say=say, **limits).run(founded=founded, ready=told)
    asyncio.run(main())
"""


class Session:
    """A supervisor in a process of its own, and what it has said."""

    def __init__(self, script: str, directory: Path) -> None:
        self._log = directory / "log"
        with self._log.open("w") as log:
            command = [sys.executable, "-c", HEAD + dedent(script)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def pids(self, name: str) -> list[int]:
        """The pids that program ``name`` has told, oldest first."""
        return [int(line.split()[-1]) for line in self.lines if line.startswith(f"{name} ") and "| up" in line]

    def wait_for(self, name: str, starts: int = 1) -> int:
        wait_until(lambda: len(self.pids(name)) >= starts)
        return self.pids(name)[-1]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


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


def all_gone(family: list[psutil.Process]) -> bool:
    return not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)


def test_it_starts_again_what_was_killed(start):
    session = start('keep(Program("web", [*PYTHON, SLEEPER]))')
    first = session.wait_for("web")
    os.kill(first, signal.SIGKILL)
    second = session.wait_for("web", starts=2)
    assert second != first
    assert "web | was ended by SIGKILL; starting it again in 0.05 s" in session.lines


def test_it_waits_longer_after_each_crash(start):
    session = start('keep(Program("web", [*PYTHON, "raise SystemExit(3)"]))')
    wait_until(lambda: "web | ended with exit code 3; starting it again in 0.2 s" in session.lines)
    delays = [line.split()[-2] for line in session.lines if "again" in line]
    assert delays[:3] == ["0.05", "0.1", "0.2"]


def test_it_puts_padded_names_before_the_lines(start):
    session = start('keep(Program("a", [*PYTHON, SLEEPER]), Program("longer", [*PYTHON, SLEEPER]))')
    session.wait_for("a")
    session.wait_for("longer")
    assert any(line.startswith("a      | up ") for line in session.lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_all_its_programs(start, number):
    session = start('keep(Program("web", [*PYTHON, SLEEPER]), Program("redis", [*PYTHON, SLEEPER], foundation=True))')
    session.wait_for("web")
    family = session.family()
    session.process.send_signal(number)
    assert session.process.wait(timeout=60) == 0
    assert all_gone(family)


def test_killed_outright_it_leaves_no_program(start):
    session = start('keep(Program("web", [*PYTHON, SLEEPER]), Program("redis", [*PYTHON, SLEEPER], foundation=True))')
    session.wait_for("web")
    family = session.family()
    assert len(family) == 2
    session.process.kill()
    wait_until(lambda: all_gone(family))


def test_who_will_not_stop_is_killed_with_its_children(start):
    session = start('keep(Program("web", [*PYTHON, STUBBORN]), grace=0.3, insistence=0.3)')
    wait_until(lambda: len(session.pids("web")) >= 2)
    family = session.family()
    session.process.terminate()
    assert session.process.wait(timeout=60) == 0
    assert all_gone(family)


def test_the_foundation_comes_first_and_goes_last(start):
    last_words = (
        "import atexit, signal, sys, time; signal.signal(15, sys.exit); atexit.register(print, 'gone');"
        "print('up 0'); time.sleep(600)"
    )
    session = start(
        f"""
        lines, say_it = [], say
        def say(line):
            lines.append(line)
            say_it(line)
        async def founded():
            while not lines:
                await asyncio.sleep(0.02)
            say("founded")
        LAST = [*PYTHON, {last_words!r}]
        keep(Program("web", LAST), Program("redis", LAST, foundation=True), founded=founded)
        """
    )
    session.wait_for("web")
    session.process.terminate()
    session.process.wait(timeout=60)
    told = [line for line in session.lines if line.endswith(("| up 0", "| gone", "founded"))]
    assert told == ["redis | up 0", "founded", "web   | up 0", "web   | gone", "redis | gone"]


def test_it_stops_although_the_foundation_never_comes_up(start):
    session = start(
        """
        async def never():
            await asyncio.sleep(600)
        keep(Program("web", [*PYTHON, SLEEPER]), Program("redis", [*PYTHON, SLEEPER], foundation=True), founded=never)
        """
    )
    session.wait_for("redis")
    session.process.terminate()
    assert session.process.wait(timeout=60) == 0
    assert not session.pids("web")


def test_it_raises_what_the_foundation_met_and_leaves_nothing(start):
    session = start(
        """
        async def broken():
            while not lines:
                await asyncio.sleep(0.02)
            raise LookupError("no ground")
        lines, say_it = [], say
        def say(line):
            lines.append(line)
            say_it(line)
        keep(Program("web", [*PYTHON, SLEEPER]), Program("redis", [*PYTHON, SLEEPER], foundation=True), founded=broken)
        """
    )
    assert session.process.wait(timeout=60) == 1
    [pid] = session.pids("redis")
    assert "LookupError: no ground" in session.lines
    assert not psutil.pid_exists(pid)


def test_it_tells_of_a_program_that_is_not_there(start):
    session = start('keep(Program("web", ["/nowhere/daphne"]))')
    wait_until(lambda: any(line.startswith("web | could not be started: ") for line in session.lines))


def test_a_line_without_end_does_not_stop_the_show(start):
    session = start(
        """
        supervisor.LINE_LIMIT = 1000
        keep(Program("web", [*PYTHON, "print('x' * 5000); print('after'); import time; time.sleep(600)"]))
        """
    )
    wait_until(lambda: "web | after" in session.lines)
    assert any("a line of more than" in line for line in session.lines)


@pytest.mark.parametrize(("code", "words"), [(3, "ended with exit code 3"), (-9, "was ended by SIGKILL")])
def test_an_ending_is_told_in_words(code, words):
    assert how_it_ended(code) == words
