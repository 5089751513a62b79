"""The supervisor, with small real programs: what it restarts and stops, and that it leaves no process behind."""

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

from contentstudio.runtime.supervisor import describe_exit
from tests.environment import ROOT
from tests.waiting import wait_until

HEAD = """
import asyncio, sys
from contentstudio.runtime import supervisor
from contentstudio.runtime.supervisor import Program, Supervisor

supervisor.MIN_BACKOFF = 0.05
PYTHON = [sys.executable, "-c"]
SLEEPER = "import os, time; print('up', os.getpid()); time.sleep(600)"
# Forks a child that the supervisor does not know; both ignore SIGTERM.
STUBBORN = (
    "import os, signal, time; signal.signal(15, lambda *_: print('no')); os.fork();"
    "os.write(1, b'up %d\\\\n' % os.getpid()); time.sleep(600)"  # in one piece: two write at a time
)

async def nothing():
    pass

def write(line):
    print(line, flush=True)

def supervise(*programs, wait_for_required=nothing, **options):
    async def main():
        await Supervisor(programs, write=write, **options).run(wait_for_required=wait_for_required, on_ready=nothing)
    asyncio.run(main())
"""


class Session:
    """A supervisor in a process of its own, and its output."""

    def __init__(self, script: str, directory: Path) -> None:
        self._log = directory / "log"
        with self._log.open("w") as log:
            command = [sys.executable, "-c", HEAD + dedent(script)]
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def pids(self, name: str) -> list[int]:
        """The process ids that program ``name`` has printed, oldest first."""
        return [int(line.split()[-1]) for line in self.lines if line.startswith(f"{name} ") and "| up" in line]

    def wait_for(self, name: str, starts: int = 1) -> int:
        wait_until(lambda: len(self.pids(name)) >= starts)
        return self.pids(name)[-1]

    def descendants(self) -> list[psutil.Process]:
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


def all_ended(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_it_restarts_a_killed_program(start: Callable[[str], Session]) -> None:
    session = start('supervise(Program("web", [*PYTHON, SLEEPER]))')
    first = session.wait_for("web")
    os.kill(first, signal.SIGKILL)
    second = session.wait_for("web", starts=2)
    assert second != first
    assert "web | was killed by SIGKILL; restarting in 0.05 s" in session.lines


def test_its_backoff_doubles(start: Callable[[str], Session]) -> None:
    session = start('supervise(Program("web", [*PYTHON, "raise SystemExit(3)"]))')
    wait_until(lambda: "web | exited with code 3; restarting in 0.2 s" in session.lines)
    delays = [line.split()[-2] for line in session.lines if "restarting" in line]
    assert delays[:3] == ["0.05", "0.1", "0.2"]


def test_it_prefixes_output_with_padded_names(start: Callable[[str], Session]) -> None:
    session = start('supervise(Program("a", [*PYTHON, SLEEPER]), Program("longer", [*PYTHON, SLEEPER]))')
    session.wait_for("a")
    session.wait_for("longer")
    assert any(line.startswith("a      | up ") for line in session.lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_all_its_programs(start: Callable[[str], Session], number: signal.Signals) -> None:
    session = start(
        'supervise(Program("web", [*PYTHON, SLEEPER]), Program("redis", [*PYTHON, SLEEPER], required=True))'
    )
    session.wait_for("web")
    processes = session.descendants()
    session.process.send_signal(number)
    assert session.process.wait(timeout=60) == 0
    assert all_ended(processes)


def test_no_program_outlives_its_kill(start: Callable[[str], Session]) -> None:
    session = start(
        'supervise(Program("web", [*PYTHON, SLEEPER]), Program("redis", [*PYTHON, SLEEPER], required=True))'
    )
    session.wait_for("web")
    processes = session.descendants()
    assert len(processes) == 2
    session.process.kill()
    wait_until(lambda: all_ended(processes))


def test_a_program_that_ignores_sigterm_is_killed_with_its_children(start: Callable[[str], Session]) -> None:
    session = start('supervise(Program("web", [*PYTHON, STUBBORN]), grace=0.3, second_grace=0.3)')
    wait_until(lambda: len(session.pids("web")) >= 2)
    processes = session.descendants()
    session.process.terminate()
    assert session.process.wait(timeout=60) == 0
    assert all_ended(processes)


def test_required_programs_start_first_and_stop_last(start: Callable[[str], Session]) -> None:
    on_exit = (
        "import atexit, signal, sys, time; signal.signal(15, sys.exit); atexit.register(print, 'gone');"
        "print('up 0'); time.sleep(600)"
    )
    session = start(
        f"""
        lines, print_line = [], write
        def write(line):
            lines.append(line)
            print_line(line)
        async def redis_is_up():
            while not lines:
                await asyncio.sleep(0.02)
            write("founded")
        LAST = [*PYTHON, {on_exit!r}]
        supervise(Program("web", LAST), Program("redis", LAST, required=True), wait_for_required=redis_is_up)
        """
    )
    session.wait_for("web")
    session.process.terminate()
    session.process.wait(timeout=60)
    printed = [line for line in session.lines if line.endswith(("| up 0", "| gone", "founded"))]
    assert printed == ["redis | up 0", "founded", "web   | up 0", "web   | gone", "redis | gone"]


def test_it_stops_while_it_waits_for_a_required_program(start: Callable[[str], Session]) -> None:
    session = start(
        """
        async def never():
            await asyncio.sleep(600)
        redis = Program("redis", [*PYTHON, SLEEPER], required=True)
        supervise(Program("web", [*PYTHON, SLEEPER]), redis, wait_for_required=never)
        """
    )
    session.wait_for("redis")
    session.process.terminate()
    assert session.process.wait(timeout=60) == 0
    assert not session.pids("web")


def test_it_raises_the_error_of_a_callback_and_leaves_nothing(start: Callable[[str], Session]) -> None:
    session = start(
        """
        async def broken():
            while not lines:
                await asyncio.sleep(0.02)
            raise LookupError("no Redis")
        lines, print_line = [], write
        def write(line):
            lines.append(line)
            print_line(line)
        redis = Program("redis", [*PYTHON, SLEEPER], required=True)
        supervise(Program("web", [*PYTHON, SLEEPER]), redis, wait_for_required=broken)
        """
    )
    assert session.process.wait(timeout=60) == 1
    [pid] = session.pids("redis")
    assert "LookupError: no Redis" in session.lines
    assert not psutil.pid_exists(pid)


def test_it_reports_a_missing_program(start: Callable[[str], Session]) -> None:
    session = start('supervise(Program("web", ["/nowhere/daphne"]))')
    wait_until(lambda: any(line.startswith("web | could not be started: ") for line in session.lines))


def test_an_overlong_line_is_replaced(start: Callable[[str], Session]) -> None:
    session = start(
        """
        supervisor.LINE_LIMIT = 1000
        supervise(Program("web", [*PYTHON, "print('x' * 5000); print('after'); import time; time.sleep(600)"]))
        """
    )
    wait_until(lambda: "web | after" in session.lines)
    assert any("a line of more than" in line for line in session.lines)


@pytest.mark.parametrize(("code", "words"), [(3, "exited with code 3"), (-9, "was killed by SIGKILL")])
def test_it_describes_an_exit(code: int, words: str) -> None:
    assert describe_exit(code) == words
