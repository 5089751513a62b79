"""``make bench``: the studio beside a plain sequential crew, in one run; the table goes to ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.brief import ROOT
from bench.crew import Crew, ready_crew
from bench.model import Model, simulated_model
from bench.report import Case, Results, Setup, throughput_table, write_report
from bench.runs import Run
from bench.simulated_model import Speed
from bench.studio import Studio, running_studio
from bench.throughput import PATHS, Plan, compare_throughput

SHORT, MEDIUM, LONG = 1000, 3000, 5000
AT_ONCE = 20


async def measure(sizes: Sequence[int], runs: int, speed: Speed) -> Results:
    """Articles one by one on both sides at the same time; then many at once, first the studio's, then the crew's."""
    results = Results(studio=defaultdict(list), crew=defaultdict(list))
    with TemporaryDirectory(prefix="studio-bench-") as place:
        async with simulated_model(speed) as model:
            async with running_studio(model, Path(place), workers=AT_ONCE) as studio:
                await measure_alone(studio, model, Path(place), sizes, runs, results)
                keep(results.studio, "studio", await studio.measure(SHORT, AT_ONCE))
            async with ready_crew(model, Path(place), SHORT, AT_ONCE) as crew:
                keep(results.crew, "sequential crew", await crew.measure())
    return results


async def measure_alone(
    studio: Studio, model: Model, place: Path, sizes: Sequence[int], runs: int, results: Results
) -> None:
    """The studio writes each size in turn, ``runs`` times; beside it a crew for each size, the short one as often."""

    async def studio_in_turn() -> None:
        for _ in range(runs):
            for words in sizes:
                keep(results.studio, "studio", await studio.measure(words, 1))

    async def crew_again(crew: Crew, times: int) -> None:
        for _ in range(times):
            keep(results.crew, "sequential crew", await crew.measure())

    async with AsyncExitStack() as ready:
        crews = [await ready.enter_async_context(ready_crew(model, place, words, 1)) for words in sizes]
        theirs = (crew_again(crew, runs if crew.words == SHORT else 1) for crew in crews)
        await asyncio.gather(studio_in_turn(), *theirs)


def keep(runs: defaultdict[Case, list[Run]], side: str, run: Run) -> None:
    """Keep a run with those of its case, and tell of it."""
    runs[run.words, len(run.articles)].append(run)
    tell(
        f"{side}, {run.words:,} words, {len(run.articles)} at once: {run.wall:.1f} s, {len(run.calls)} calls,"
        f" {run.cpu_seconds:.1f} s CPU, {run.completed} completed"
    )


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the studio beside a sequential crew, and its API beside a FastAPI application.",
    )
    parser.add_argument(
        "part",
        nargs="?",
        choices=["all", "api"],
        default="all",
        help="api: only the request throughput, printed and not written to the report (%(default)s)",
    )
    articles = parser.add_argument_group("articles")
    articles.add_argument("--runs", type=int, default=3, help="how often each article is written (%(default)s)")
    articles.add_argument(
        "--error", type=float, default=Speed.error, help="how far the model misses a length, as a share (%(default)s)"
    )
    api = parser.add_argument_group("request throughput")
    api.add_argument("--requests", nargs="+", choices=PATHS, default=list(PATHS), help="what to request (all)")
    api.add_argument("--web-processes", nargs="+", type=int, default=[1, 2], help="web processes of the studio (1 2)")
    api.add_argument("--rounds", type=int, default=3, help="how often each request is measured (%(default)s)")
    api.add_argument("--seconds", type=int, default=5, help="how long each round takes (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="measure once and for a short time; no 5,000 words")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md", help="file of the report")
    options = parser.parse_args()
    plan = Plan(options.requests, options.web_processes, rounds=options.rounds, seconds=options.seconds)
    if options.quick:
        plan = replace(plan, rounds=1, seconds=2)
    if options.part == "api":
        print(throughput_table(asyncio.run(compare_throughput(plan))))
        return
    sizes, runs = ((SHORT, MEDIUM), 1) if options.quick else ((SHORT, MEDIUM, LONG), options.runs)
    speed = Speed(error=options.error)
    results = asyncio.run(measure(sizes, runs, speed))
    results.throughput.extend(asyncio.run(compare_throughput(plan)))
    write_report(results, Setup(" ".join(["python -m bench", *sys.argv[1:]]), speed, AT_ONCE), options.out)
    tell(f"{options.out} is written.")


if __name__ == "__main__":
    main()
