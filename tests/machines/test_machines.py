"""A studio on four machines: links are delayed and cut, a machine is killed, a new version replaces the old one.

No article is lost, no model call is paid for twice, and every picture is served. Clocks that differ are the subject of
tests/articles/test_clocks.py: a namespace cannot have another time of day, and Python cannot sleep under libfaketime 0.9.10.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.chaos.witness import asked, asked_twice, faults_in, faults_of
from tests.environment import ROOT
from tests.machines.cluster import Cluster, cluster, unpacked
from tests.machines.network import HOST, Machine, lan, missing
from tests.model_server import ModelServer
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.timeout(600),
]

HOLD_A_LOCK = """
import time
from django.db import connection, transaction
with transaction.atomic(), connection.cursor() as cursor:
    cursor.execute("SELECT pg_advisory_xact_lock(1)")
    print("locked", flush=True)
    time.sleep(300)
"""

TOPIC = "Rooftop gardens of town"
PREVIOUS = os.environ.get("PREVIOUS", "HEAD~1")


@pytest.fixture(scope="module")
def shared_model() -> Iterator[ModelServer]:
    server = ModelServer(first_seconds=0.1, image_seconds=0.5)
    server.host = HOST
    with lan(), server:
        yield server


@pytest.fixture
def model(shared_model: ModelServer) -> ModelServer:
    """Slow enough that an article is being written while something happens, and it finds every citation supported."""
    shared_model.reset()
    shared_model.token_seconds = 0.1
    shared_model.choices.add("supported")
    return shared_model


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, shared_model: ModelServer) -> Iterator[Cluster]:
    """On the previous version. The tests run in their order, and the second one upgrades it."""
    directory = tmp_path_factory.mktemp("machines")
    with cluster(directory, shared_model.url) as studio:
        studio.code = unpacked(PREVIOUS, directory / "previous")
        studio.start()
        print("\nlinks:", {machine.slow_down() for machine in studio.machines.values()})
        yield studio


def order(studio: Cluster, count: int, *, where: Machine | None = None) -> list[int]:
    """Orders articles and waits until they are being written, one of them by ``where``."""
    before = len(studio.topics())
    articles = [studio.order(f"{TOPIC} {before + number:05}") for number in range(count)]
    wait_until(lambda: set(articles) <= studio.holders().keys(), seconds=60)
    if where is not None:
        wait_until(lambda: where.name in studio.holders().values(), seconds=60)
    return articles


def all_is_well(studio: Cluster, model: ModelServer, articles: list[int]) -> None:
    model.token_seconds = 0
    wait_until(lambda: {studio.status(article) for article in articles} == {"completed"}, seconds=150)
    logs = {article: studio.events(article) for article in articles}
    calls = asked(model, studio.topics())
    doubled = list(asked_twice(calls, logs))
    faults = [f"article {article}: {fault}" for article, log in logs.items() for fault in faults_of(log)]
    results = {article: studio.result(article) for article in articles}
    faults += [f"article {article}: {fault}" for article, result in results.items() for fault in faults_in(result)]
    print(f"{len(articles)} articles, {len(calls)} calls; asked twice: {len(doubled)}, faults: {len(faults)}")
    assert (doubled, faults) == ([], [])
    stored = studio.s3.objects()
    for article, result in results.items():
        name = result["image_url"].rpartition("/media/")[2]
        assert studio.picture(result["image_url"]) == stored[f"media/{name}"].read_bytes(), article


def messages(studio: Cluster, articles: list[int]) -> str:
    return " ".join(event["message"] for article in articles for event in studio.events(article))


def test_articles_are_written_over_slow_links(started: Cluster, model: ModelServer) -> None:
    articles = order(started, 4)
    wait_until(lambda: len(set(started.holders().values())) == 2, seconds=30)  # both machines write
    all_is_well(started, model, articles)
    assert "was lost" not in messages(started, articles)
    assert not (started.web.directory / "var" / "media").exists(), "all files are in the bucket"


def test_a_new_version_replaces_the_previous_one_while_articles_are_written(
    started: Cluster, model: ModelServer
) -> None:
    articles = order(started, 3)
    started.code = ROOT
    started.start_role("migrate", started.web)
    started.replace("sweeper", started.web)
    for machine in started.workers:
        started.replace("worker", machine)
        articles.append(started.order(f"{TOPIC} of {machine.name}"))
    started.replace("web", started.web)
    articles.append(started.order(f"{TOPIC} of the new web"))
    all_is_well(started, model, articles)
    said = messages(started, articles)
    assert "The worker was stopped. Another one will continue." in said
    assert "was lost" not in said


def test_a_machine_that_is_cut_off_for_long_loses_its_articles(started: Cluster, model: ModelServer) -> None:
    machine = started.workers[0]
    articles = order(started, 4, where=machine)
    with machine.cut():
        wait_until(lambda: machine.name not in started.holders().values(), seconds=60)
        time.sleep(3)
    all_is_well(started, model, articles)
    assert "was lost" in messages(started, articles)
    assert "worker" in machine.processes
    assert machine.processes["worker"].poll() is None, "it goes on when it is back"


def test_a_machine_that_is_cut_off_in_a_transaction_loses_its_locks(started: Cluster) -> None:
    machine, started.code = started.workers[0], ROOT
    started.start_command(machine, "holder", "shell", "--no-imports", "-c", HOLD_A_LOCK)
    wait_until(lambda: "locked" in machine.said("holder"), seconds=60)
    with psycopg.connect(started.database, autocommit=True) as other:
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert other.execute(held).fetchone() == (1,)
        with machine.cut():
            wait_until(lambda: other.execute(held).fetchone() == (0,), seconds=45)
    holder = machine.processes.pop("holder")
    holder.kill()
    holder.wait()


def test_a_short_cut_of_the_stores_is_waited_out(started: Cluster, model: ModelServer) -> None:
    articles = order(started, 3)
    with started.data.cut():
        time.sleep(8)
    all_is_well(started, model, articles)


def test_the_articles_of_a_killed_machine_go_on_elsewhere(started: Cluster, model: ModelServer) -> None:
    machine = started.workers[1]
    articles = order(started, 4, where=machine)
    machine.kill()
    wait_until(lambda: machine.name not in started.holders().values(), seconds=60)
    all_is_well(started, model, articles)
    assert "was lost" in messages(started, articles)


def test_the_previous_version_is_of_this_repository() -> None:
    found = subprocess.run(["git", "rev-parse", PREVIOUS], cwd=ROOT, check=False, capture_output=True, text=True)
    assert found.returncode == 0, f"PREVIOUS={PREVIOUS} is no revision of this repository"
    assert Path(ROOT / ".git").exists()
