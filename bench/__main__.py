"""``make bench``: measures the studio, a plain sequential crew and a FastAPI application; writes ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.crew import CrewProcess, running_crew
from bench.environment import ROOT
from bench.model_process import ModelServer, running_model
from bench.report import Conditions, Results, Runs, throughput_table, write_report
from bench.runs import Run
from bench.simulated_model import Speed
from bench.studio import Studio, running_studio
from bench.throughput import PATHS, Plan, compare_throughput
from bench.watchers import PageWatcher

SHORT, MEDIUM, LONG = 1000, 3000, 5000
AT_ONCE = 20


async def measure_articles(sizes: Sequence[int], runs: int, speed: Speed) -> Results:
    """Single articles of both sides at the same time; then many at once, first of the studio, then of the crew."""
    results = Results()
    with TemporaryDirectory(prefix="studio-bench-") as directory:
        var = Path(directory)
        async with running_model(speed) as model:
            async with running_studio(model, var, workers=AT_ONCE) as studio:
                await measure_single_articles(studio, model, var, sizes, runs, results)
                record(results.studio, "studio", await studio.measure(SHORT, AT_ONCE))
                record(results.pages, "studio, page socket", await studio.measure(SHORT, AT_ONCE, PageWatcher))
            async with running_crew(model, var, SHORT, AT_ONCE) as crew:
                record(results.crew, "sequential crew", await crew.measure())
    return results


async def measure_single_articles(
    studio: Studio, model: ModelServer, var: Path, sizes: Sequence[int], runs: int, results: Results
) -> None:
    """The studio writes each size ``runs`` times, and once more watched over the page socket.

    Meanwhile the crew writes the short article as often, and each longer one once.
    """

    async def measure_studio() -> None:
        for _ in range(runs):
            for words in sizes:
                record(results.studio, "studio", await studio.measure(words, 1))
        for words in sizes:
            record(results.pages, "studio, page socket", await studio.measure(words, 1, PageWatcher))

    async def measure_crew(crew: CrewProcess, times: int) -> None:
        for _ in range(times):
            record(results.crew, "sequential crew", await crew.measure())

    async with AsyncExitStack() as stack:
        crews = [await stack.enter_async_context(running_crew(model, var, words, 1)) for words in sizes]
        tasks = (measure_crew(crew, runs if crew.words == SHORT else 1) for crew in crews)
        await asyncio.gather(measure_studio(), *tasks)


def record(runs: Runs, side: str, run: Run) -> None:
    """Add a run to those of its case, and print it."""
    runs[run.words, len(run.articles)].append(run)
    log(
        f"{side}, {run.words:,} words, {len(run.articles)} at once: {run.wall:.1f} s, {len(run.calls)} calls,"
        f" {run.cpu_seconds:.1f} s CPU, {run.completed} completed"
    )


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the studio beside a sequential crew, and its API beside a FastAPI application.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=["all", "api"],
        default="all",
        help="api: measure only the request throughput, and print it instead of writing the report",
    )
    parser.add_argument("--quick", action="store_true", help="measure everything once and shortly, without 5,000 words")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md", help="file of the report")
    articles = parser.add_argument_group("articles")
    articles.add_argument("--runs", type=int, default=3, help="how often each article is written")
    articles.add_argument("--error", type=float, default=Speed.error, help="share by which the model misses lengths")
    api = parser.add_argument_group("request throughput")
    api.add_argument("--requests", nargs="+", choices=PATHS, default=list(PATHS), help="what to request")
    api.add_argument("--web-processes", nargs="+", type=int, default=[1, 2], help="web processes of the studio")
    api.add_argument("--rounds", type=int, default=3, help="how often each request is measured")
    api.add_argument("--seconds", type=int, default=5, help="length of a round")
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    plan = Plan(options.requests, options.web_processes, rounds=options.rounds, seconds=options.seconds)
    if options.quick:
        plan = replace(plan, rounds=1, seconds=2)
    if options.part == "api":
        print(throughput_table(asyncio.run(compare_throughput(plan))))
        return
    sizes, runs = ((SHORT, MEDIUM), 1) if options.quick else ((SHORT, MEDIUM, LONG), options.runs)
    speed = Speed(error=options.error)
    results = asyncio.run(measure_articles(sizes, runs, speed))
    results.throughput.extend(asyncio.run(compare_throughput(plan)))
    write_report(results, Conditions(" ".join(["python -m bench", *sys.argv[1:]]), speed, AT_ONCE), options.out)
    log(f"Wrote {options.out}.")


if __name__ == "__main__":
    main()
