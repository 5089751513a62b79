"""Runs the simulated model in its own process, so that its CPU time is not counted with that of either side."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench.environment import ROOT
from bench.simulated_model import Call, Speed


class ModelServer:
    """A running simulated model. Each client asks under its own ``name``, which has its own log of calls."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address, self.session = address, session

    def base_url(self, name: str) -> str:
        return f"{self.address}/{name}/v1"

    async def take_calls(self, name: str) -> list[Call]:
        """The calls that ended since the last time; clears the log."""
        async with self.session.get(f"{self.address}/{name}/calls") as response:
            calls = [Call(**call) for call in await response.json()]
        async with self.session.delete(f"{self.address}/{name}/calls") as response:
            response.raise_for_status()
        return calls


@asynccontextmanager
async def running_model(speed: Speed) -> AsyncIterator[ModelServer]:
    """Run a simulated model of this speed inside the block."""
    command = [sys.executable, "-m", "bench.simulated_model", *speed.options()]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    try:
        address = (await read_line(process)).strip()
        async with aiohttp.ClientSession() as session:
            yield ModelServer(address, session)
    finally:
        process.terminate()
        await process.wait()


async def read_line(process: Process) -> str:
    """The next line of its output. Raises RuntimeError if the process has ended instead."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"A measured process exited with code {await process.wait()}; see its output above.")
    return line.decode()
