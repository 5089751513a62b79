"""Compares the request throughput of the studio's API with the reference API's.

Both serve the same rows: copies of an article that the studio wrote. They are measured in turn, several times, so that
whatever else the machine does affects both.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from bench.environment import ROOT, clean_environment
from bench.model_process import running_model
from bench.reference_api.server import create_database, running_reference_api
from bench.simulated_model import Speed
from bench.studio import Studio, running_studio
from bench.wrk import Throughput, measure_throughput

ARTICLES = 200
WORDS = 1000
CONNECTIONS = 16
INSTANT = Speed(first=0, rate=100_000, image=0, error=0)
ARTICLE_ID = 1  # the first of the studio's database, and of the reference API's

PATHS = {
    "article": f"/api/articles/{ARTICLE_ID}",
    "status": f"/api/articles/{ARTICLE_ID}/status",
    "result": f"/api/articles/{ARTICLE_ID}/result",
    "list": "/api/articles/?limit=20",
}


@dataclass(frozen=True)
class Plan:
    """Measure each of ``requests`` for ``rounds`` times ``seconds``, with each number of web processes."""

    requests: Sequence[str] = tuple(PATHS)
    web_processes: Sequence[int] = (1, 2)
    rounds: int = 3
    seconds: int = 5


@dataclass
class Comparison:
    """The rounds of one request: of the studio with so many web processes, and of the reference API with one."""

    request: str
    web_processes: int
    studio: list[Throughput] = field(default_factory=list)
    reference: list[Throughput] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median_rate(self.studio) / median_rate(self.reference)


def median_rate(rounds: Sequence[Throughput]) -> float:
    """Requests per second."""
    return median(one.requests_per_second for one in rounds)


async def compare_throughput(plan: Plan) -> list[Comparison]:
    """Leaves out a number of web processes that the studio does not start, and says so on stderr."""
    comparisons: list[Comparison] = []
    with TemporaryDirectory(prefix="studio-bench-") as directory:
        var = Path(directory)
        database = var / "reference.sqlite3"
        async with running_model(INSTANT) as model:
            for processes in plan.web_processes:
                async with running_studio(model, var, workers=1, WEB_PROCESSES=str(processes)) as studio:
                    if not database.exists():
                        await fill_databases(studio, var, database)
                    running = studio.count_web_processes()
                    if running != processes:
                        log(f"WEB_PROCESSES={processes} is left out: {running} web process(es) are running.")
                        continue
                    async with running_reference_api(database) as reference:
                        comparisons += await compare(plan, processes, studio, reference)
    return comparisons


async def fill_databases(studio: Studio, var: Path, reference: Path) -> None:
    """Let the studio write an article, and copy it until both databases have the same ``ARTICLES`` rows."""
    run = await studio.measure(WORDS, 1)
    if run.articles[0].error:
        raise RuntimeError(f"The article to be copied was not written: {run.articles[0].error}")
    command = [sys.executable, "-m", "bench.copy_article", str(ARTICLE_ID), str(ARTICLES - 1)]
    environment = clean_environment(VAR=str(var), ENV_FILE="/dev/null")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    if await process.wait() != 0:
        raise RuntimeError("The studio's database could not be filled; see the output above.")
    article: dict[str, Any] = {}
    for request in ("result", "article"):
        async with studio.api.get(PATHS[request]) as response:
            response.raise_for_status()
            article |= await response.json()
    await asyncio.to_thread(create_database, reference, studio.key, article, ARTICLES)


async def compare(plan: Plan, processes: int, studio: Studio, reference: str) -> list[Comparison]:
    """Measure the studio and the reference API in turn."""
    comparisons = []
    for request in plan.requests:
        comparison = Comparison(request, processes)
        for number in range(plan.rounds + 1):
            for address, rounds in ((studio.address, comparison.studio), (reference, comparison.reference)):
                result = await measure_throughput(
                    address + PATHS[request],
                    {"Authorization": f"Bearer {studio.key}"},
                    connections=CONNECTIONS,
                    seconds=plan.seconds if number else 1,
                )
                if number:  # the first round warms up
                    rounds.append(result)
        log(
            f"{request}, {processes} web process(es): {median_rate(comparison.studio):,.0f} requests/s,"
            f" reference {median_rate(comparison.reference):,.0f}, ratio {comparison.ratio:.2f}"
        )
        comparisons.append(comparison)
    return comparisons


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
