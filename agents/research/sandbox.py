"""Runs a program on a document that may be hostile, with limits on time and output."""

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
    """The program's output and exit code; ``code`` is None if it was stopped for writing too much."""

    output: bytes
    code: int | None


async def run_sandboxed(command: Sequence[str], body: bytes, *, seconds: float, max_output: int) -> Outcome:
    """Passes ``body`` to ``command`` and reads at most ``max_output`` bytes. Raises TimeoutError after ``seconds``.

    The program has ended when this returns, also if it is cancelled, and it ends if this process is killed. Call it from
    a loop in the main thread: the kernel ties the program to the thread that starts it.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, preexec_fn=partial(die_with_parent, os.getpid())
    )
    assert process.stdin is not None
    assert process.stdout is not None
    feeding = asyncio.create_task(_feed(process.stdin, body))
    try:
        async with asyncio.timeout(seconds):
            output = await _read(process.stdout, max_output)
            if len(output) > max_output:
                return Outcome(output[:max_output], None)
            return Outcome(output, await process.wait())
    finally:
        if process.returncode is None:
            process.kill()
        # asyncio sees the end of a process only after the end of its pipes, and it stops reading one whose buffer is full.
        while await process.stdout.read(65536):
            pass
        await process.wait()
        await feeding


async def _feed(stdin: asyncio.StreamWriter, body: bytes) -> None:
    # A program may end before it has read everything; its exit code tells why.
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(body)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _read(stdout: asyncio.StreamReader, max_output: int) -> bytes:
    output = bytearray()
    while len(output) <= max_output and (chunk := await stdout.read(65536)):
        output += chunk
    return bytes(output)
