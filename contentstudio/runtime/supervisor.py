"""Runs the studio's programs in one terminal: starts them, prints their output, restarts those that exit, stops them all."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from contentstudio.runtime.parent_death import die_with_parent
from contentstudio.runtime.roles import Role

MIN_BACKOFF, MAX_BACKOFF = 0.2, 5.0  # seconds before a program is restarted; doubled with each exit
STABLE_AFTER = 10.0  # seconds a program has to run for its backoff to be reset
LINE_LIMIT = 1024 * 1024  # bytes of one line of output


@dataclass(frozen=True)
class Program:
    """A program to keep running, whose output is prefixed with ``name``. ``role`` runs it alone.

    The others need a ``required`` one: it starts before and stops after them.
    """

    name: str
    command: Sequence[str]
    role: Role | None = None
    required: bool = False


class Supervisor:
    """Keeps ``programs`` running until it is stopped.

    ``write`` prints one line, which ``format_line`` makes of a program's name and a line of its output. On stop a program has
    ``grace`` seconds to exit after SIGTERM; it then gets another SIGTERM, and SIGKILL for its whole process group
    ``second_grace`` seconds later.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        write: Callable[[str], None],
        format_line: Callable[[str, str], str] | None = None,
        grace: float = 12.0,
        second_grace: float = 2.0,
    ) -> None:
        self._programs = programs
        self._write = write
        self._format_line = format_line or self._in_columns
        self._grace_periods = (grace, second_grace)
        self._width = max(len(program.name) for program in programs)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(
        self, *, wait_for_required: Callable[[], Awaitable[None]], on_ready: Callable[[], Awaitable[None]]
    ) -> None:
        """Start the required programs, await ``wait_for_required()``, start the rest, await ``on_ready()``, then run until
        stopped: by ``stop()``, SIGINT or SIGTERM.

        All programs have ended when this returns or raises, which it does with what one of the two callbacks raised.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        async with self._kept_running(required=True):
            await self._await_unless_stopped(wait_for_required())
            if self._stop.is_set():
                return
            async with self._kept_running(required=False):
                await self._await_unless_stopped(on_ready())
                await self._stop.wait()
                self._write("Stopping.")

    @asynccontextmanager
    async def _kept_running(self, *, required: bool) -> AsyncIterator[None]:
        """Keep the programs of one kind running inside the block. All of them have ended after it."""
        tasks = [
            asyncio.create_task(self._keep_running(program))
            for program in self._programs
            if program.required == required
        ]
        for task in tasks:
            task.add_done_callback(lambda _: self.stop())  # it ends only if cancelled, or by a bug here
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _await_unless_stopped(self, awaitable: Awaitable[None]) -> None:
        waiting, stopped = asyncio.ensure_future(awaitable), asyncio.ensure_future(self._stop.wait())
        try:
            done, _ = await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if waiting in done:
                waiting.result()
        finally:
            waiting.cancel()
            stopped.cancel()

    async def _keep_running(self, program: Program) -> None:
        backoff = MIN_BACKOFF
        while True:
            started = time.monotonic()
            exit_description = await self._run_once(program)
            if time.monotonic() - started > STABLE_AFTER:
                backoff = MIN_BACKOFF
            self._write_line(program, f"{exit_description}; restarting in {backoff:g} s")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF)

    async def _run_once(self, program: Program) -> str:
        """Run ``program`` until it exits, or stop it when cancelled; returns how it exited."""
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=STDOUT,
                limit=LINE_LIMIT,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        except OSError as error:
            return f"could not be started: {error}"
        output = asyncio.create_task(self._copy_output(program, process))
        try:
            return describe_exit(await process.wait())
        finally:
            await self._terminate(process)
            await output

    async def _terminate(self, process: Process) -> None:
        """Ask ``process`` to exit, ask again, then kill the rest of its process group."""
        for seconds in self._grace_periods:
            if process.returncode is not None:
                break
            process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _copy_output(self, program: Program, process: Process) -> None:
        """Print the program's output line by line, until every process that inherited the pipe has closed it."""
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than LINE_LIMIT; asyncio has dropped it
                self._write_line(program, f"(a line of more than {LINE_LIMIT} bytes)")
                continue
            if not line:
                return
            self._write_line(program, line.decode(errors="replace").rstrip())

    def _write_line(self, program: Program, line: str) -> None:
        self._write(self._format_line(program.name, line))

    def _in_columns(self, name: str, line: str) -> str:
        return f"{name.ljust(self._width)} | {line}"


def describe_exit(code: int) -> str:
    """An exit code as asyncio reports it: negative ones are signals."""
    return f"exited with code {code}" if code >= 0 else f"was killed by {signal.Signals(-code).name}"
