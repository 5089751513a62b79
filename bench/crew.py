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

from bench.environment import ROOT, clean_environment
from bench.model_process import ModelServer, read_line
from bench.processes import PeakMemory, cpu_seconds, unique_memory
from bench.runs import Article, Run

MAX_LINE = 16 * 1024 * 1024  # bytes; all articles of a run come in one line


class CrewProcess:
    """A process that has imported CrewAI and writes ``at_once`` articles for each run."""

    def __init__(self, process: Process, model: ModelServer, name: str, words: int, at_once: int) -> None:
        self.process, self.model, self.name, self.words, self.at_once = process, model, name, words, at_once
        self.statistics = psutil.Process(process.pid)
        self.memory_before = unique_memory(self.statistics)

    async def measure(self) -> Run:
        assert self.process.stdin is not None
        cpu_before, peak = cpu_seconds(self.statistics), PeakMemory()
        async with peak.sampled(lambda: unique_memory(self.statistics)):
            start = time.monotonic()
            self.process.stdin.write(b"run\n")
            articles = [Article(**article) for article in json.loads(await read_line(self.process))]
            wall = time.monotonic() - start
        return Run(
            words=self.words,
            wall=wall,
            calls=await self.model.take_calls(self.name),
            cpu={"crew": cpu_seconds(self.statistics) - cpu_before},
            memory=(peak.value - self.memory_before) / self.at_once,
            articles=articles,
        )


@asynccontextmanager
async def running_crew(model: ModelServer, home: Path, words: int, at_once: int) -> AsyncIterator[CrewProcess]:
    """Run a crew process inside the block. CrewAI's own files go below ``home``."""
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
        *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, limit=MAX_LINE
    )
    try:
        await read_line(process)
        yield CrewProcess(process, model, name, words, at_once)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
