"""The section “Load” of ``docs/benchmarks.md``, and what several machines would add."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from string import Template

import psutil

from bench.load.memory import ROLES, MemoryOfADay, quarters
from bench.load.users import Samples
from bench.report import machine, markdown_table
from bench.simulated_model import Speed

MAX_PAGE_P95 = 0.3  # seconds
USABLE = 0.8  # share of the CPU that a machine can use before waits grow
HEADING = "## Load"
SECTION = re.compile(rf"^{HEADING}\n.*", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Load:
    """What users and articles on one ``database`` took. ``cpu`` is in seconds by role."""

    database: str
    samples: Samples
    took: Sequence[float | None]
    seconds: float
    cpu: Mapping[str, float]
    warnings: Mapping[str, int] = field(default_factory=dict)

    @property
    def completed(self) -> int:
        return sum(each is not None for each in self.took)

    @property
    def errors(self) -> int:
        return self.samples.errors.total()

    def summary(self) -> str:
        return (
            f"{self.database}: {self.completed} of {len(self.took)} articles in {self.seconds:.0f} s, pages p95"
            f" {1000 * pages_p95(self.samples):.0f} ms, {self.errors} errors {dict(self.samples.errors)}"
        )

    def cores(self, *roles: str) -> float:
        """How many cores these roles used on average."""
        return sum(self.cpu.get(role, 0.0) for role in roles) / self.seconds


@dataclass
class LoadReport:
    users: int
    articles: int
    words: int
    speed: Speed
    web_processes: int
    loads: list[Load] = field(default_factory=list)
    day: MemoryOfADay | None = None

    def failures(self) -> list[str]:
        """What was not as it has to be."""
        found = []
        for load in self.loads:
            if load.errors:
                found.append(f"{load.database}: {dict(load.samples.errors)}")
            if (p95 := pages_p95(load.samples)) > MAX_PAGE_P95:
                found.append(f"{load.database}: the p95 of pages is {1000 * p95:.0f} ms, more than {MAX_PAGE_P95:g} s")
        if self.day and self.day.failed:
            found.append(f"{self.day.failed} of {self.day.articles} articles failed")
        if self.day and not self.day.is_flat:
            found.append("memory grows: " + ", ".join(f"{role} {self.day.growth(role):+.0f} MiB" for role in ROLES))
        return found

    def as_markdown(self, command: str) -> str:
        template = Template(Path(__file__).with_name("report.template.md").read_text(encoding="utf-8"))
        return template.substitute(
            date=f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC",
            command=command,
            machine=machine(),
            users=self.users,
            articles=self.articles,
            words=f"{self.words:,}",
            first=f"{self.speed.first:g}",
            rate=f"{self.speed.rate:g}",
            web_processes=self.web_processes,
            overview=overview(self.loads),
            latencies=latencies(self.loads),
            warnings=warnings(self.loads),
            cpu=cpu_table(self.loads),
            usable=f"{USABLE:.0%}".replace("%", " %"),
            machines="\n\n".join(machines_table(load, self.users) for load in self.loads),
            memory=memory_section(self.day),
            failures="\n".join(f"- {each}" for each in self.failures()) or "All limits were met.",
        )


def write_load_report(report: LoadReport, command: str, file: Path) -> None:
    """Replace the section of ``file``, which is its last one."""
    text, section = file.read_text(encoding="utf-8"), report.as_markdown(command)
    rest = SECTION.sub("", text).rstrip()
    file.write_text(f"{rest}\n\n{section}", encoding="utf-8")


def percentile(values: Sequence[float], number: int) -> float:
    """0 without values."""
    return quantiles(values, n=100, method="inclusive")[number - 1] if len(values) > 1 else sum(values)


def pages_p95(samples: Samples) -> float:
    return percentile([each for kind, found in samples.seconds.items() if kind.endswith("page") for each in found], 95)


# Tables


def overview(loads: Sequence[Load]) -> str:
    heads = [
        "database",
        "seconds",
        "articles",
        "median s",
        "slowest s",
        "requests",
        "requests/s",
        "sockets",
        "messages",
    ]
    rows = [[*heads, "errors", "pages p95 ms"], ["---", *["---:"] * (len(heads) + 1)]]
    for load in loads:
        took = [each for each in load.took if each is not None] or [0.0]
        requests = sum(len(each) for kind, each in load.samples.seconds.items() if kind != "event")
        figures = [
            f"{load.seconds:.0f}",
            f"{load.completed} of {len(load.took)}",
            f"{median(took):.0f}",
            f"{max(took):.0f}",
        ]
        figures += [f"{requests:,}", f"{requests / load.seconds:.1f}", f"{load.samples.sockets:,}"]
        figures += [f"{load.samples.messages:,}", str(load.errors), f"{1000 * pages_p95(load.samples):.0f}"]
        rows.append([load.database, *figures])
    return markdown_table(rows)


def latencies(loads: Sequence[Load]) -> str:
    """Milliseconds by kind of request, and of events until they reached a page."""
    kinds = sorted({kind for load in loads for kind in load.samples.seconds})
    heads = ["", *(f"{load.database} {figure}" for load in loads for figure in ("number", "p50", "p95", "p99"))]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for kind in kinds:
        row = [kind]
        for load in loads:
            found = load.samples.seconds[kind]
            row += [f"{len(found):,}", *(f"{1000 * percentile(found, number):.0f}" for number in (50, 95, 99))]
        rows.append(row)
    return markdown_table(rows)


def warnings(loads: Sequence[Load]) -> str:
    lines = [
        f"- {load.database}, {count:,} times: `{kind} …`" for load in loads for kind, count in load.warnings.items()
    ]
    return "\n".join(lines) or "None."


ROLES_OF_CPU = ("jobs", "workers", "web", "redis", "sweeper", "database")


def cpu_table(loads: Sequence[Load]) -> str:
    """Cores that each role used on average, and CPU seconds of the workers for an article."""
    rows = [["database", *ROLES_OF_CPU, "s per article"], ["---", *["---:"] * (len(ROLES_OF_CPU) + 1)]]
    for load in loads:
        cores = [f"{load.cores(role):.2f}" for role in ROLES_OF_CPU]
        rows.append([load.database, *cores, f"{seconds_per_article(load):.2f}"])
    return markdown_table(rows)


def seconds_per_article(load: Load) -> float:
    """CPU of its worker. The database and Redis are counted apart: they do not spread over machines."""
    return (load.cpu.get("jobs", 0.0) + load.cpu.get("workers", 0.0)) / max(load.completed, 1)


def machines_table(load: Load, users: int) -> str:
    """Articles an hour that the CPU of one, two and four machines like this one allows, beside the same users.

    The first machine also has the web, Redis and the database. On SQLite there is only one.
    """
    cores = psutil.cpu_count() or 1
    shared = load.cores("redis", "sweeper", "database") * load.seconds / max(load.completed, 1)
    article = seconds_per_article(load) + shared
    rows = [["machines", f"cores for {users} users", "cores for articles", "articles an hour"], ["---:"] * 4]
    for machines in (1,) if load.database == "sqlite" else (1, 2, 4):
        left = max(machines * cores * USABLE - load.cores("web"), 0.0)
        rows.append([str(machines), f"{load.cores('web'):.2f}", f"{left:.2f}", f"{3600 * left / article:,.0f}"])
    return f"{load.database}, {article:.2f} s of CPU for an article:\n\n{markdown_table(rows)}"


def memory_section(day: MemoryOfADay | None) -> str:
    if day is None:
        return "Not measured."
    rows = [["MiB", "1st quarter", "2nd", "3rd", "4th", "growth from the 2nd"], ["---", *["---:"] * 5]]
    for role in ROLES:
        rows.append([role, *(f"{each:.0f}" for each in quarters(day, role)), f"{day.growth(role):+.1f}"])
    return f"{day.articles:,} articles, {day.failed} of them failed:\n\n{markdown_table(rows)}"
