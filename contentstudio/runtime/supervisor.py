"""Keeps the studio's programs running in one terminal: starts them, shows their lines, restarts them, stops them all."""

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

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0  # seconds before what crashed is started again; doubled each time
STEADY_AFTER = 10.0  # who ran for so many seconds is forgiven its earlier crashes
LINE_LIMIT = 1024 * 1024  # bytes of one line of output


@dataclass(frozen=True)
class Program:
    """A program to keep running. Its lines are shown behind ``name``; a ``foundation`` starts first and stops last."""

    name: str
    command: Sequence[str]
    foundation: bool = False


class Supervisor:
    """Keeps ``programs`` running until it is told to stop; ``say`` shows one line. Before one of a program's stand its name and a
    bar, unless ``relay`` makes another line of the two.

    A program has ``grace`` seconds to end after SIGTERM; it is then asked once more, and killed with its whole process
    group after another ``insistence`` seconds.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], None],
        relay: Callable[[str, str], str] | None = None,
        grace: float = 12.0,
        insistence: float = 2.0,
    ) -> None:
        self._programs = programs
        self._say = say
        self._line = relay or self._in_columns
        self._patience = (grace, insistence)
        self._width = max(len(program.name) for program in programs)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self, *, founded: Callable[[], Awaitable[None]], ready: Callable[[], Awaitable[None]]) -> None:
        """Start the foundation, await ``founded()``, start the rest, await ``ready()``; keep all of them until the stop.

        SIGINT and SIGTERM are a call to ``stop()``. No program is left when this returns, nor when it raises what
        ``founded`` or ``ready`` raised.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        async with self._kept(foundation=True):
            await self._unless_stopped(founded())
            if self._stop.is_set():
                return
            async with self._kept(foundation=False):
                await self._unless_stopped(ready())
                await self._stop.wait()
                self._say("Stopping.")

    @asynccontextmanager
    async def _kept(self, *, foundation: bool) -> AsyncIterator[None]:
        """Keep one half of the programs running inside the block; all of them have ended after it."""
        tasks = [
            asyncio.create_task(self._keep(program)) for program in self._programs if program.foundation == foundation
        ]
        for task in tasks:
            task.add_done_callback(lambda _: self.stop())  # a keeper never ends by itself, unless by a fault of ours
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            faults = await asyncio.gather(*tasks, return_exceptions=True)
        for fault in faults:
            if isinstance(fault, Exception):
                raise fault

    async def _unless_stopped(self, wish: Awaitable[None]) -> None:
        """Await ``wish``, but no longer than until the stop."""
        waiting, stopped = asyncio.ensure_future(wish), asyncio.ensure_future(self._stop.wait())
        try:
            done, _ = await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if waiting in done:
                waiting.result()
        finally:
            waiting.cancel()
            stopped.cancel()

    async def _keep(self, program: Program) -> None:
        delay = FIRST_DELAY
        while True:
            started = time.monotonic()
            ending = await self._run_once(program)
            if time.monotonic() - started > STEADY_AFTER:
                delay = FIRST_DELAY
            self._show(program, f"{ending}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _run_once(self, program: Program) -> str:
        """Run ``program`` to its end; how it ended, in words."""
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
        relay = asyncio.create_task(self._relay(program, process))
        try:
            return how_it_ended(await process.wait())
        finally:
            await self._end(process)
            await relay

    async def _end(self, process: Process) -> None:
        """Ask ``process`` to end, ask again, then kill what is left of its group, itself included."""
        for seconds in self._patience:
            if process.returncode is not None:
                break
            process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    async def _relay(self, program: Program, process: Process) -> None:
        """Show each line of the program's output as it comes, until nobody holds the other end any more."""
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # asyncio has dropped it
                self._show(program, f"(a line of more than {LINE_LIMIT} bytes)")
                continue
            if not line:
                return
            self._show(program, line.decode(errors="replace").rstrip())

    def _show(self, program: Program, line: str) -> None:
        self._say(self._line(program.name, line))

    def _in_columns(self, name: str, line: str) -> str:
        return f"{name.ljust(self._width)} | {line}"


def how_it_ended(code: int) -> str:
    """An exit code as asyncio gives it, in words; negative ones are signals."""
    return f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
