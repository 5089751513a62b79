"""The load: users, articles and memory of a small one, and what its report says."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bench.load.__main__ import INSTANT, Plan, settings_of, warnings_in
from bench.load.accounts import create_accounts
from bench.load.memory import MemoryOfADay, measure_memory
from bench.load.report import HEADING, Load, LoadReport, machines_table, write_load_report
from bench.load.users import Samples, Site, visit
from bench.model_process import running_model
from bench.processes import cpu_of_studio
from bench.report import Conditions, Results, write_report
from bench.simulated_model import Speed
from bench.studio import environment_of, started_studio
from tests.static_files import bring_static_files


def load(**changes: object) -> Load:
    samples = Samples()
    samples.seconds["list page"] = [0.01] * 99 + [0.2]
    samples.seconds["API status"] = [1.0] * 100
    cpu = {"jobs": 40.0, "workers": 10.0, "web": 20.0, "redis": 5.0, "database": 5.0}
    found = Load("postgres", samples, [10.0] * 50, 100.0, cpu)
    return Load(**{**vars(found), **changes})


def report(*loads: Load, day: MemoryOfADay | None = None) -> LoadReport:
    return LoadReport(200, 50, 1000, Speed(), 2, list(loads), day)


def day(*memory: float, failed: int = 0) -> MemoryOfADay:
    """One with these MiB of the workers, evenly spread over its articles."""
    samples = [
        (25 * number, {"web": 200.0, "workers": mib, "redis": 5.0, "sweeper": 90.0})
        for number, mib in enumerate(memory, 1)
    ]
    return MemoryOfADay(25 * len(memory), samples, failed)


def test_a_load_within_its_limits_has_no_failures() -> None:
    assert report(load(), day=day(300, 310, 311, 312)).failures() == []


def test_errors_slow_pages_and_growing_memory_are_failures() -> None:
    slow, broken = Samples(), Samples()
    slow.seconds["article page"] = [0.1] * 90 + [0.5] * 10
    broken.errors["article page: 500"] += 1
    failures = report(load(samples=slow), load(samples=broken), day=day(200, 300, 350, 400, failed=1)).failures()
    assert len(failures) == 4
    assert "500 ms" in failures[0]
    assert "article page: 500" in failures[1]
    assert "1 of 100" in failures[2]
    assert "workers +100 MiB" in failures[3]


def test_requests_of_programs_do_not_count_as_pages() -> None:
    samples = Samples()
    samples.seconds["API list"] = [2.0] * 100
    samples.seconds["list page"] = [0.1] * 100
    assert report(load(samples=samples)).failures() == []


def test_memory_is_flat_if_it_grows_little_after_the_first_quarter() -> None:
    assert day(300, 300, 310, 320).is_flat
    assert not day(300, 300, 350, 400).is_flat
    assert day(100, 400, 400, 400).is_flat, "the first quarter fills caches"


def test_machines_add_articles_but_the_database_and_redis_stay_on_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.cpu_count", lambda: 2)
    rows = [row.split("|")[1:-1] for row in machines_table(load(), 200).splitlines()[4:]]
    figures = [[float(cell.replace(",", "")) for cell in row] for row in rows]
    # An article takes 1 s in workers and 0.2 s in Redis and the database; users take 0.2 cores.
    assert figures == [[1, 0.2, 1.4, 4200], [2, 0.2, 3.0, 9000], [4, 0.2, 6.2, 18600]]


def test_sqlite_has_one_machine() -> None:
    assert len(machines_table(load(database="sqlite"), 200).splitlines()) == 5


def test_the_report_is_the_last_section_and_the_benchmark_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.md"
    write_report(Results(), Conditions("bench", Speed(), 20), file)
    benchmark = file.read_text()
    write_load_report(report(load()), "first", file)
    write_load_report(report(load()), "second", file)
    text = file.read_text()
    assert text.startswith(benchmark.rstrip())
    assert text.count(HEADING) == 1
    assert "Written by `second`" in text
    assert "first" not in text.partition(HEADING)[2].splitlines()[2]
    write_report(Results(), Conditions("bench", Speed(), 20), file)
    assert file.read_text().partition(HEADING)[2] == text.partition(HEADING)[2]


def test_warnings_are_counted_by_their_kind(tmp_path: Path) -> None:
    (tmp_path / "studio.log").write_text(
        "web-1 | WARNING daphne.server: Application instance <Task pending name='Task-12' coro=<Protocol> took too long\n"
        "web-2 | WARNING daphne.server: Application instance <Task pending name='Task-345' coro=<Protocol> took too long\n"
        "sweeper | INFO articles.runs.recovery: nothing\n"
    )
    found = warnings_in(tmp_path)
    assert found == {"daphne.server: Application instance <Task pending name=": 2}
    assert "2 times" in report(load(warnings=found)).as_markdown("test")


async def test_a_small_load_of_a_real_studio(tmp_path: Path) -> None:
    bring_static_files(tmp_path)
    plan = Plan(users=6, articles=2, web_processes=1, speed=INSTANT)
    async with running_model(INSTANT) as model:
        settings = settings_of(model, plan, "")
        async with started_studio(tmp_path, 4, **settings) as studio:
            accounts = await create_accounts(environment_of(tmp_path, **settings), 2, 4)
            async with aiohttp.TCPConnector(limit=0) as connector:
                site = Site(studio.address, connector, words=300)
                took = await visit(site, accounts, writers=2, pollers=1)
            memory = await measure_memory(studio, 4)
            cpu = cpu_of_studio(studio.pid)
    assert site.samples.errors == {}
    assert all(took)
    kinds = ("list page", "finished article page", "API status", "API create", "event")
    assert all(site.samples.seconds[kind] for kind in kinds)
    assert site.samples.sockets
    assert site.samples.messages
    assert memory.failed == 0
    assert memory.of_quarter(4, "workers") > 0
    measured = Load("sqlite", site.samples, took, 10.0, cpu)
    text = report(measured, day=memory).as_markdown("test")
    assert "2 of 2" in text
    assert "$" not in text
