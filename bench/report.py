"""The table in ``docs/benchmarks.md``: medians of the runs, and what they were made on."""

from __future__ import annotations

import platform
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from string import Template

import psutil

from bench.runs import Run
from bench.simulated_model import Speed
from bench.throughput import ARTICLES, Comparison, median_rate

LIBRARIES = ("Django", "crewai", "openai", "rq", "channels", "daphne")
PARTS = ("jobs", "web", "workers", "redis", "sweeper", "supervisor")
FIGURES = "wall s|path s|over it s|calls|tokens in|tokens out|CPU s|memory MB|words|length score|completed|runs"


@dataclass(frozen=True)
class Setup:
    """How the runs were made."""

    command: str
    speed: Speed
    workers: int


Case = tuple[int, int]
"""Words, and articles at once."""


@dataclass(frozen=True)
class Results:
    """The runs of each case: of the studio, and of the sequential crew."""

    studio: defaultdict[Case, list[Run]]
    crew: defaultdict[Case, list[Run]]
    throughput: list[Comparison] = field(default_factory=list)


def write_report(results: Results, setup: Setup, place: Path) -> None:
    words = Template(Path(__file__).with_name("report.template.md").read_text(encoding="utf-8"))
    place.write_text(words.substitute(told(results, setup)), encoding="utf-8")


def told(results: Results, setup: Setup) -> dict[str, str]:
    """What fills the template."""
    return {
        "date": f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC",
        "command": setup.command,
        "machine": machine(),
        "versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "first": f"{setup.speed.first:g}",
        "rate": f"{setup.speed.rate:g}",
        "image": f"{setup.speed.image:g}",
        "error": f"{setup.speed.error:.0%}".replace("%", " %"),
        "workers": str(setup.workers),
        "table": comparison(results),
        "cpu": cpu_by_part(results.studio),
        "latency": latency(results.studio),
        "throughput": throughput_table(results.throughput),
        "articles": str(ARTICLES),
        "problems": problems(results),
    }


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{processor()}, {psutil.cpu_count()} cores, {memory:.0f} GB, {system}, Python {platform.python_version()}"


def processor() -> str:
    """Its name, where the kernel tells it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


# Tables


def comparison(results: Results) -> str:
    """Case by case the studio beside the crew, and how many times faster it was."""
    heads = ["words", "at once", "", *FIGURES.split("|")]
    rows = [heads, ["---:"] * 2 + ["---"] + ["---:"] * (len(heads) - 3)]
    for case, ours in results.studio.items():
        theirs = results.crew[case]
        rows.append([f"{case[0]:,}", str(case[1]), "**studio**", *figures(ours)])
        rows.append(["", "", "sequential crew", *figures(theirs)])
        times = middle(theirs, lambda run: run.wall) / middle(ours, lambda run: run.wall)
        rows.append(["", "", f"*{times:.1f} × faster*", *[""] * (len(heads) - 3)])
    return markdown_table(rows)


def figures(runs: Sequence[Run]) -> list[str]:
    alone = len(runs[0].articles) == 1
    path = middle(runs, lambda run: run.path)
    over = middle(runs, lambda run: run.wall - run.path)
    return [
        f"{middle(runs, lambda run: run.wall):.1f}",
        f"{path:.1f}" if alone else "",
        f"{over:.2f}" if alone else "",
        f"{middle(runs, lambda run: len(run.calls)):,.0f}",
        f"{middle(runs, lambda run: sum(call.prompt_tokens for call in run.calls)):,.0f}",
        f"{middle(runs, lambda run: sum(call.completion_tokens for call in run.calls)):,.0f}",
        f"{middle(runs, lambda run: run.cpu_seconds):.1f}",
        f"{middle(runs, lambda run: run.memory):.0f}",
        f"{middle(runs, lambda run: run.written):,.0f}",
        f"{middle(runs, lambda run: run.score):.0f}",
        f"{sum(run.completed for run in runs)} of {sum(len(run.articles) for run in runs)}",
        str(len(runs)),
    ]


def middle(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    return median(map(figure, runs))


def cpu_by_part(studio: Mapping[Case, Sequence[Run]]) -> str:
    """CPU seconds of the studio's programs, an article."""
    rows = [["words", "at once", *PARTS], ["---:"] * (2 + len(PARTS))]
    for (words, at_once), runs in studio.items():
        spent = [f"{median(run.cpu.get(part, 0.0) for run in runs) / at_once:.2f}" for part in PARTS]
        rows.append([f"{words:,}", str(at_once), *spent])
    return markdown_table(rows)


def latency(studio: Mapping[Case, Sequence[Run]]) -> str:
    """Milliseconds from an event's timestamp to its arrival at a watcher."""
    rows = [["words", "at once", "events", "p50 ms", "p99 ms"], ["---:"] * 5]
    for (words, at_once), runs in studio.items():
        late = [1000 * seconds for run in runs for seconds in run.latencies]
        if len(late) > 1:
            hundredths = quantiles(late, n=100, method="inclusive")
            rows.append(
                [f"{words:,}", str(at_once), f"{len(late):,}", f"{hundredths[49]:.1f}", f"{hundredths[98]:.1f}"]
            )
    return markdown_table(rows)


def throughput_table(comparisons: Sequence[Comparison]) -> str:
    """Requests per second and latencies of the studio's API and of the reference API."""
    heads = ["request", "web processes", "studio requests/s", "p50 ms", "p99 ms"]
    heads += ["reference requests/s", "p50 ms", "p99 ms", "ratio"]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for each in comparisons:
        figures = [
            figure
            for rounds in (each.studio, each.reference)
            for figure in (
                f"{median_rate(rounds):,.0f}",
                f"{median(one.p50 for one in rounds):.1f}",
                f"{median(one.p99 for one in rounds):.1f}",
            )
        ]
        rows.append([each.request, str(each.web_processes), *figures, f"{each.ratio:.2f}"])
    return markdown_table(rows)


def problems(results: Results) -> str:
    """Why articles were not completed, each reason once."""
    reasons = [
        f"- {name}, {words:,} words, {at_once} at once: {article.error}"
        for name, cases in (("studio", results.studio), ("sequential crew", results.crew))
        for (words, at_once), runs in cases.items()
        for run in runs
        for article in run.articles
        if article.error
    ]
    return "\n".join(dict.fromkeys(reasons)) or "Every article was completed."


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
