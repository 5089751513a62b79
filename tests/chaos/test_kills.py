"""Chaos: processes of a working studio are killed at random, and no work may be lost or repeated.

Twenty kills are part of every test run; ``make chaos N=200`` is the long form. CHAOS_SEED repeats a run's choices, though
not its timing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psutil
import pytest

from tests.chaos.form import KILLS, PAUSES, SEED, TIMED, within
from tests.chaos.killing import Killer
from tests.chaos.resuming import report, resumptions
from tests.chaos.store import Cluster
from tests.chaos.studio import LiveStudio
from tests.chaos.witness import asked, asked_twice, faults_in, faults_of
from tests.model_server import ModelServer
from tests.waiting import wait_until

IN_FLIGHT = 6
"""Two more than there are processes, so that some write two."""
TOPIC = "Rooftop gardens of town"
SLOWEST, MEDIAN = 30.0, 10.0
"""Seconds from a kill until the run resumes."""


@pytest.mark.timeout(300 + 8 * KILLS)
def test_no_run_is_lost_and_nothing_is_paid_for_twice(
    studio: LiveStudio, model: ModelServer, cluster: Cluster | None
) -> None:
    print(f"\nCHAOS_SEED={SEED}")
    killer = Killer(studio, SEED, cluster.restart if cluster else None)
    kill_repeatedly(studio, killer)
    model.token_seconds = 0  # nothing more is killed
    topics = {article: topic for article, topic in studio.topics().items() if TOPIC in topic}
    wait_until(lambda: not any(studio.status(article) in ("pending", "processing") for article in topics), seconds=240)
    logs = {article: studio.events(article) for article in topics}
    calls = asked(model, topics)
    lost = [article for article, log in logs.items() if log[-1].get("new_status") != "completed"]
    doubled = list(asked_twice(calls, logs))
    faults = [f"article {article}: {fault}" for article, log in logs.items() for fault in faults_of(log)]
    resumed = resumptions(killer.kills, logs)
    assert resumed, "no kill took the worker of a run"
    print(f"{len(killer.kills)} kills ({killer.tally()}), {len(topics)} articles, {len(calls)} calls of the model")
    print(report(resumed))
    print(f"lost: {len(lost)}, asked twice: {len(doubled)}, faults in logs: {len(faults)}")
    assert (lost, doubled, faults) == ([], [], [])
    assert [fault for article in topics for fault in faults_in(studio.result(article))] == []
    if TIMED:
        waits = [each.seconds for each in resumed]
        assert max(waits) <= SLOWEST
        assert statistics.median(waits) <= MEDIAN
    stops_without_processes(studio)


def stops_without_processes(studio: LiveStudio) -> None:
    family = studio.family()
    assert studio.stop() < within(15)
    assert not [member for member in family if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]


def kill_repeatedly(studio: LiveStudio, killer: Killer) -> None:
    """Kill KILLS processes while some articles are being written at all times."""
    at_work: set[int] = set()
    ordered = 0
    while len(killer.kills) < KILLS:
        at_work = {article for article in at_work if studio.status(article) != "completed"}
        while len(at_work) < IN_FLIGHT:
            ordered += 1
            at_work.add(studio.order(f"{TOPIC} {ordered:05}"))
        wait_for(studio.holders, killer.chance.uniform(*PAUSES))
        killer.strike()


def wait_for(condition: Callable[[], object], pause: float) -> None:
    """Wait ``pause`` seconds, then until the condition holds for up to 10 s: it may take the next kill to end the wait."""
    time.sleep(pause)
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
