"""``make load``: users on pages, sockets and API while articles are written; the result goes into ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from bench.environment import ROOT
from bench.load.accounts import create_accounts
from bench.load.memory import AT_ONCE, MemoryOfADay, measure_memory
from bench.load.postgres import ServerProcess, running_postgres
from bench.load.report import Load, LoadReport, write_load_report
from bench.load.users import Site, visit
from bench.model_process import ModelServer, running_model
from bench.processes import cpu_of_studio, difference
from bench.simulated_model import MODELS, Speed
from bench.studio import LOG, MODEL_CLIENT, environment_of, started_studio

WORDS = 1000
LOGGED = re.compile(r"\b(?:WARNING|ERROR) ([\w.]+: .{,40})")
INSTANT = Speed(first=0.01, rate=5000, image=0.01, error=0)


@dataclass(frozen=True)
class Plan:
    users: int = 200
    articles: int = 50
    day: int = 2000
    databases: list[str] = field(default_factory=lambda: ["sqlite", "postgres"])
    web_processes: int = 2
    speed: Speed = field(default_factory=Speed)


async def measure(plan: Plan) -> LoadReport:
    report = LoadReport(plan.users, plan.articles, WORDS, plan.speed, plan.web_processes)
    for database in plan.databases:
        with database_server(database) as server:
            report.loads.append(await measure_load(plan, database, server))
        log(report.loads[-1].summary())
    if plan.day:
        report.day = await measure_day(plan)
        log(f"memory over {plan.day:,} articles: {'flat' if report.day.is_flat else 'it grows'}")
    return report


@contextmanager
def database_server(database: str) -> Iterator[ServerProcess | None]:
    """None for SQLite, which needs no server."""
    if database == "sqlite":
        yield None
    else:
        with running_postgres() as server:
            yield server


async def measure_load(plan: Plan, database: str, server: ServerProcess | None) -> Load:
    """The articles are written by as many users, a quarter of the others are programs, the rest look at pages."""
    others = plan.users - plan.articles
    with TemporaryDirectory(prefix="studio-load-") as directory:
        var = Path(directory)
        async with running_model(plan.speed) as model:
            settings = settings_of(model, plan, server.url if server else "")
            async with started_studio(var, plan.articles, **settings) as studio:
                accounts = await create_accounts(environment_of(var, **settings), plan.articles, others)
                connector = aiohttp.TCPConnector(limit=0)
                site = Site(studio.address, connector, WORDS)
                before, database_before = cpu_of_studio(studio.pid), server.cpu_seconds() if server else 0.0
                start = time.monotonic()
                took = await visit(site, accounts, plan.articles, others // 4)
                seconds = time.monotonic() - start
                await asyncio.sleep(2)  # processes of jobs end
                cpu = difference(before, cpu_of_studio(studio.pid))
                await connector.close()
            if server:
                cpu["database"] = server.cpu_seconds() - database_before
            return Load(database, site.samples, took, seconds, cpu, warnings_in(var))


async def measure_day(plan: Plan) -> MemoryOfADay:
    with TemporaryDirectory(prefix="studio-load-") as directory:
        async with (
            running_model(INSTANT) as model,
            started_studio(Path(directory), AT_ONCE, **settings_of(model, plan, "")) as studio,
        ):
            return await measure_memory(studio, plan.day)


def settings_of(model: ModelServer, plan: Plan, database: str) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": model.base_url(MODEL_CLIENT),
        "LLM_MODEL": MODELS[0],
        "IMAGE_MODEL": MODELS[1],
        "WEB_PROCESSES": str(plan.web_processes),
        "MAX_CONNECTIONS_PER_CLIENT": "0",  # all users come from one address, as behind a proxy
        **({"DATABASE_URL": database} if database else {}),
    }


def warnings_in(var: Path) -> Counter[str]:
    """How often the studio logged each kind of warning or error: its logger and the beginning of its message."""
    found = LOGGED.findall((var / LOG).read_text(errors="replace"))
    return Counter(re.sub(r"\d+", "N", warning).strip() for warning in found)


def log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        description="Load a studio with users and articles, and watch its memory over many articles.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of everything, on SQLite, and print the result only"
    )
    parser.add_argument("--users", type=int, default=Plan.users, help="how many there are, those who write included")
    parser.add_argument("--articles", type=int, default=Plan.articles, help="how many of them write one")
    parser.add_argument("--day", type=int, default=Plan.day, help="articles over which the memory is watched; 0: none")
    parser.add_argument("--databases", nargs="*", choices=["sqlite", "postgres"], default=["sqlite", "postgres"])
    parser.add_argument("--web-processes", type=int, default=Plan.web_processes)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "docs" / "benchmarks.md", help="file with the section “Load”"
    )
    return parser.parse_args()


def main() -> None:
    options = parse_arguments()
    plan = Plan(options.users, options.articles, options.day, options.databases, options.web_processes)
    if options.quick:
        plan = Plan(plan.users // 10, plan.articles // 10, plan.day // 50, ["sqlite"], plan.web_processes, INSTANT)
    report = asyncio.run(measure(plan))
    command = " ".join(["python -m bench.load", *sys.argv[1:]])
    if options.quick:
        print(report.as_markdown(command))
    else:
        write_load_report(report, command, options.out)
        log(f"Wrote the section “Load” of {options.out}.")
    failures = report.failures()
    for failure in failures:
        log(f"FAILED: {failure}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
