"""Measures the plain sequential crew of ``bench/sequential_crew.py``."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bench.brief import ROOT
from bench.environment import clean_environment
from bench.model import Model, line_of
from bench.processes import Peak, own_memory, own_seconds
from bench.runs import Article, Run

LONGEST_LINE = 16 * 1024 * 1024


class Crew:
    """A process that has imported CrewAI and writes ``at_once`` articles each time it is told to."""

    def __init__(self, process: Process, model: Model, name: str, words: int, at_once: int) -> None:
        self.process, self.model, self.name, self.words, self.at_once = process, model, name, words, at_once
        self.itself = psutil.Process(process.pid)
        self.memory_before = own_memory(self.itself)

    async def measure(self) -> Run:
        assert self.process.stdin is not None
        cpu_before, peak = own_seconds(self.itself), Peak()
        async with peak.watching(lambda: own_memory(self.itself)):
            began = time.monotonic()
            self.process.stdin.write(b"begin\n")
            written = [Article(**article) for article in json.loads(await line_of(self.process))]
            wall = time.monotonic() - began
        return Run(
            words=self.words,
            wall=wall,
            calls=await self.model.calls(self.name),
            cpu={"crew": own_seconds(self.itself) - cpu_before},
            memory=(peak.value - self.memory_before) / self.at_once,
            articles=written,
        )


@asynccontextmanager
async def ready_crew(model: Model, home: Path, words: int, at_once: int) -> AsyncIterator[Crew]:
    """A crew that is ready to write articles of ``words`` words; it ends with the block. CrewAI writes below ``home``."""
    name = f"crew-{words}-{at_once}"
    environment = clean_environment(
        HOME=str(home),
        CREWAI_STORAGE_DIR=str(home),
        CREWAI_DISABLE_TELEMETRY="true",
        CREWAI_TRACING_ENABLED="false",
        OTEL_SDK_DISABLED="true",
    )
    command = [sys.executable, "-m", "bench.sequential_crew", model.base_url(name), str(words), str(at_once)]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE
    )
    try:
        await line_of(process)
        yield Crew(process, model, name, words, at_once)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
