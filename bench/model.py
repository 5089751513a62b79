"""The simulated model as a process of its own, so that its CPU time is nobody's but its own."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bench.brief import ROOT
from bench.simulated_model import Call, Speed


class Model:
    """Where the simulated model answers; ``name`` keeps apart the logs of those who ask it."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address, self.session = address, session

    def base_url(self, name: str) -> str:
        return f"{self.address}/{name}/v1"

    async def calls(self, name: str) -> list[Call]:
        """The calls since they were last asked for."""
        async with self.session.get(f"{self.address}/{name}/calls") as told:
            calls = [Call(**call) for call in await told.json()]
        async with self.session.delete(f"{self.address}/{name}/calls") as forgotten:
            forgotten.raise_for_status()
        return calls


@asynccontextmanager
async def simulated_model(speed: Speed) -> AsyncIterator[Model]:
    """A simulated model of this speed, in a process that ends with the block."""
    command = [sys.executable, "-m", "bench.simulated_model", *speed.options()]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE)
    try:
        address = (await line_of(process)).strip()
        async with aiohttp.ClientSession() as session:
            yield Model(address, session)
    finally:
        process.terminate()
        await process.wait()


async def line_of(process: Process) -> str:
    """The next line of its output. Raises RuntimeError where it has ended instead."""
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"A process of the measurement ended with {await process.wait()}; its lines above say why.")
    return line.decode()
