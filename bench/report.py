"""Writes ``docs/benchmarks.md``: medians of the runs, and the machine they were measured on."""

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
from bench.throughput import ARTICLES, CONNECTIONS, Comparison, median_rate

LIBRARIES = ("Django", "crewai", "openai", "rq", "channels", "daphne", "fastapi", "sqlalchemy", "uvicorn")
ROLES = ("jobs", "web", "workers", "redis", "sweeper", "supervisor")
LOAD = "\n## Load\n"
COLUMNS = "wall s|path s|over it s|calls|tokens in|tokens out|CPU s|memory MB|words|length score|completed|runs"


@dataclass(frozen=True)
class Conditions:
    """How the runs were made."""

    command: str
    speed: Speed
    workers: int


Case = tuple[int, int]
"""Words, and articles at once."""
Runs = defaultdict[Case, list[Run]]


@dataclass(frozen=True)
class Results:
    """The runs of each case: of the studio watched over its JSON socket and over its page socket, and of the crew."""

    studio: Runs = field(default_factory=lambda: defaultdict(list))
    pages: Runs = field(default_factory=lambda: defaultdict(list))
    crew: Runs = field(default_factory=lambda: defaultdict(list))
    throughput: list[Comparison] = field(default_factory=list)


def write_report(results: Results, conditions: Conditions, file: Path) -> None:
    template = Template(Path(__file__).with_name("report.template.md").read_text(encoding="utf-8"))
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    load = before[before.index(LOAD) :] if LOAD in before else ""  # measured by another command
    file.write_text(template.substitute(template_fields(results, conditions)) + load, encoding="utf-8")


def template_fields(results: Results, conditions: Conditions) -> dict[str, str]:
    speed = conditions.speed
    return {
        "date": f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC",
        "command": conditions.command,
        "machine": machine(),
        "versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "first": f"{speed.first:g}",
        "rate": f"{speed.rate:g}",
        "image": f"{speed.image:g}",
        "error": f"{speed.error:.0%}".replace("%", " %"),
        "workers": str(conditions.workers),
        "articles": articles_table(results),
        "problems": problems(results),
        "cpu": cpu_table(results.studio),
        "latency": latency_table(results),
        "rows": str(ARTICLES),
        "connections": str(CONNECTIONS),
        "throughput": throughput_table(results.throughput),
    }


def machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    system = f"{platform.system()} {platform.release()}"
    return f"{processor()}, {psutil.cpu_count()} cores, {memory:.0f} GB, {system}, Python {platform.python_version()}"


def processor() -> str:
    """The model name, if the kernel reports one."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


# Tables


def articles_table(results: Results) -> str:
    """The studio and the crew for each case, and how many times faster the studio was."""
    heads = ["words", "at once", "", *COLUMNS.split("|")]
    rows = [heads, ["---:"] * 2 + ["---"] + ["---:"] * (len(heads) - 3)]
    for (words, at_once), studio in results.studio.items():
        crew = results.crew[words, at_once]
        rows.append([f"{words:,}", str(at_once), "**studio**", *figures(studio)])
        rows.append(["", "", "sequential crew", *figures(crew)])
        times = median_of(crew, lambda run: run.wall) / median_of(studio, lambda run: run.wall)
        rows.append(["", "", f"*{times:.1f} × faster*", *[""] * (len(heads) - 3)])
    return markdown_table(rows)


def figures(runs: Sequence[Run]) -> list[str]:
    single = len(runs[0].articles) == 1
    path = median_of(runs, lambda run: run.critical_path_seconds)
    over = median_of(runs, lambda run: run.wall - run.critical_path_seconds)
    return [
        f"{median_of(runs, lambda run: run.wall):.1f}",
        f"{path:.1f}" if single else "",
        f"{over:.2f}" if single else "",
        f"{median_of(runs, lambda run: len(run.calls)):,.0f}",
        f"{median_of(runs, lambda run: sum(call.prompt_tokens for call in run.calls)):,.0f}",
        f"{median_of(runs, lambda run: sum(call.completion_tokens for call in run.calls)):,.0f}",
        f"{median_of(runs, lambda run: run.cpu_seconds):.1f}",
        f"{median_of(runs, lambda run: run.memory):.0f}",
        f"{median_of(runs, lambda run: run.median_words):,.0f}",
        f"{median_of(runs, lambda run: run.length_score):.0f}",
        f"{sum(run.completed for run in runs)} of {sum(len(run.articles) for run in runs)}",
        str(len(runs)),
    ]


def median_of(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    return median(map(figure, runs))


def cpu_table(studio: Mapping[Case, Sequence[Run]]) -> str:
    """CPU seconds of the studio's processes per article."""
    rows = [["words", "at once", *ROLES], ["---:"] * (2 + len(ROLES))]
    for (words, at_once), runs in studio.items():
        seconds = [f"{median(run.cpu.get(role, 0.0) for run in runs) / at_once:.2f}" for role in ROLES]
        rows.append([f"{words:,}", str(at_once), *seconds])
    return markdown_table(rows)


def latency_table(results: Results) -> str:
    """Milliseconds from an event's timestamp to its arrival, over both sockets, and the web's CPU seconds per article."""
    heads = ["words", "at once", "socket", "events", "p50 ms", "p99 ms", "complete p99 ms", "web CPU s"]
    rows = [heads, ["---:"] * 2 + ["---"] + ["---:"] * 5]
    for words, at_once in results.studio:
        for socket, cases in (("JSON", results.studio), ("page", results.pages)):
            runs = cases.get((words, at_once), [])
            arrivals = [1000 * seconds for run in runs for seconds in run.latencies.arrivals]
            complete = [1000 * seconds for run in runs for seconds in run.latencies.complete]
            if len(arrivals) < 2 or len(complete) < 2:
                continue
            percentiles = quantiles(arrivals, n=100, method="inclusive")
            last = f"{quantiles(complete, n=100, method='inclusive')[98]:.1f}" if socket == "page" else ""
            web = median(run.cpu.get("web", 0.0) for run in runs) / at_once
            counts = [f"{words:,}", str(at_once), socket, f"{len(arrivals):,}"]
            rows.append([*counts, f"{percentiles[49]:.1f}", f"{percentiles[98]:.1f}", last, f"{web:.2f}"])
    return markdown_table(rows)


def throughput_table(comparisons: Sequence[Comparison]) -> str:
    """Requests per second and latencies of the studio's API and of the reference API."""
    heads = ["request", "web processes", "studio requests/s", "p50 ms", "p99 ms"]
    heads += ["reference requests/s", "p50 ms", "p99 ms", "ratio"]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for each in comparisons:
        row = [each.request, str(each.web_processes)]
        for rounds in (each.studio, each.reference):
            row.append(f"{median_rate(rounds):,.0f}")
            row += [f"{median(figures):.1f}" for figures in zip(*((one.p50, one.p99) for one in rounds), strict=True)]
        rows.append([*row, f"{each.ratio:.2f}"])
    return markdown_table(rows)


def problems(results: Results) -> str:
    """Why articles were not completed, each reason once."""
    sides = (("studio", results.studio), ("studio, page socket", results.pages), ("sequential crew", results.crew))
    reasons = [
        f"- {side}, {words:,} words, {at_once} at once: {article.error}"
        for side, cases in sides
        for (words, at_once), runs in cases.items()
        for run in runs
        for article in run.articles
        if article.error
    ]
    return "\n".join(dict.fromkeys(reasons)) or "Every article was completed."


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
