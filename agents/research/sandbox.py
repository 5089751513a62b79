"""Running a program on a document that may be hostile: bounded in time and in what it may say."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from contentstudio.runtime.parent_death import die_with_parent


@dataclass(frozen=True)
class Outcome:
    """What the program wrote and how it ended; ``code`` is None where it was stopped for writing too much."""

    output: bytes
    code: int | None


async def run_confined(command: Sequence[str], body: bytes, *, seconds: float, most: int) -> Outcome:
    """Give ``body`` to ``command`` and read at most ``most`` bytes. Raises TimeoutError after ``seconds``.

    Whatever happens, cancellation too, the program is gone when this returns, and where this process is killed amid it. To be
    called from a loop that runs in the main thread: the program is bound to the thread that starts it.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, preexec_fn=partial(die_with_parent, os.getpid())
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeding = asyncio.create_task(_feed(process.stdin, body))
    try:
        async with asyncio.timeout(seconds):
            output = await _read(process.stdout, most)
            if len(output) > most:
                return Outcome(output[:most], None)
            return Outcome(output, await process.wait())
    finally:
        feeding.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _feed(stdin: asyncio.StreamWriter, body: bytes) -> None:
    # A program may end before it has read everything; its exit code says why.
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(body)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _read(stdout: asyncio.StreamReader, most: int) -> bytes:
    output = bytearray()
    while len(output) <= most and (chunk := await stdout.read(65536)):
        output += chunk
    return bytes(output)
