"""The metrics endpoint: its values as Prometheus parses them, and who may read it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from agents.exceptions import FailureCode
from agents.pipeline.steps import StepKey
from articles.models import ApiKey, Step
from articles.operations import health, metrics
from articles.runs.journal import fail_run
from articles.runs.workers import Workers
from articles.services import cancel_run
from tests.articles.clients import open_socket
from tests.factories import StaffFactory, UserFactory, make_article, make_completed_article, make_processing_article

pytestmark = pytest.mark.django_db(transaction=True)  # the querying threads have their own connections
TOKEN = "a token for these tests"


@pytest.fixture(autouse=True)
def isolated_metrics(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    for query in (health.work_query, metrics.history_query):
        monkeypatch.setattr(query, "seconds", 60)  # a busy machine must not count as hanging
    caches["process"].clear()
    yield
    caches["process"].clear()


def scrape() -> dict[tuple[str, ...], float]:
    """Name and label values → value, as Prometheus would take them."""
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


class TestAccess:
    def test_staff_may_read_it(self, client: Client) -> None:
        client.force_login(StaffFactory.create())
        response = client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        assert "no-store" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer schlüssel"}])
    def test_for_others_it_is_not_found(self, client: Client, header: dict[str, str]) -> None:
        assert client.get("/metrics", headers=header).status_code == 404
        client.force_login(UserFactory.create())
        assert client.get("/metrics", headers=header).status_code == 404

    def test_without_a_configured_token_none_is_accepted(self, client: Client, settings: Any) -> None:
        settings.METRICS_TOKEN = ""
        for header in ("Bearer", "Bearer ", f"Bearer {TOKEN}"):
            assert client.get("/metrics", headers={"Authorization": header}).status_code == 404

    def test_post_is_refused(self, client: Client) -> None:
        assert client.post("/metrics").status_code == 405


def test_an_empty_studio_has_zeros() -> None:
    found = scrape()
    assert found["studio_info", "0.1.0"] == 1
    assert found["studio_part_up", "database"] == found["studio_part_up", "redis"] == 1
    assert (
        found["studio_runs", "failed"] == found["studio_queue_depth",] == found["studio_oldest_waiting_seconds",] == 0
    )
    assert found["studio_runs_failed", "model_quota"] == 0


def test_it_counts_runs_by_status() -> None:
    owner = UserFactory.create()
    make_completed_article(owner)
    make_processing_article(owner)
    waiting, cancelled = make_article(owner), make_article(owner)
    waiting.events.update(created_at=timezone.now() - timedelta(seconds=90))
    cancel_run(article=cancelled, by=owner)
    found = scrape()
    assert {status: found["studio_runs", status] for status in ("completed", "processing", "pending", "cancelled")} == {
        "completed": 1,
        "processing": 1,
        "pending": 1,
        "cancelled": 1,
    }
    assert (found["studio_queue_depth",], found["studio_runs_in_flight",], found["studio_runs_parked",]) == (1, 1, 0)
    assert 90 <= found["studio_oldest_waiting_seconds",] < 100


def test_it_totals_calls_and_costs_by_agent() -> None:
    make_completed_article(UserFactory.create())
    Step.objects.with_key(StepKey.parse("write:1")).update(cost="0.125", cached_tokens=7)
    found = scrape()
    assert found["studio_model_calls", "WriterAgent"] == 2
    assert found["studio_cost_dollars", "WriterAgent"] == 0.125
    kinds = ("prompt", "completion", "cached", "reasoning")
    assert [found["studio_tokens", "WriterAgent", kind] for kind in kinds] == [20, 10, 7, 0]


def test_it_counts_failures_by_code() -> None:
    owner = UserFactory.create()
    for code in (FailureCode.MODEL_AUTH, FailureCode.MODEL_QUOTA, FailureCode.MODEL_QUOTA):
        fail_run(make_processing_article(owner)[1], "A message in any wording.", code)
    found = scrape()
    codes = ("model_auth", "model_quota", "worker_died")
    assert [found["studio_runs_failed", code] for code in codes] == [1, 2, 0]


def test_it_has_the_workers_and_their_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "read_workers", lambda: Workers(living=5, capacity=18, silent=2))
    found = scrape()
    assert (found["studio_workers", "living"], found["studio_workers", "silent"]) == (5, 2)
    assert found["studio_places",] == 18


def test_without_the_database_it_is_reported_as_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "read_work", lambda: None)
    found = scrape()
    assert found["studio_part_up", "database"] == 0
    assert ("studio_queue_depth",) not in found


def test_a_database_error_during_a_scrape_omits_its_metrics_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Any:
        raise DatabaseError("gone")

    monkeypatch.setattr(metrics, "sums_of_steps", gone)
    found = scrape()
    assert found["studio_queue_depth",] == 0
    assert ("studio_runs", "failed") not in found


def test_a_hanging_query_during_a_scrape_omits_its_metrics_only(monkeypatch: pytest.MonkeyPatch) -> None:
    thaw = threading.Event()
    sums_of_steps = metrics.sums_of_steps

    def freeze() -> Any:
        thaw.wait()
        return sums_of_steps()

    monkeypatch.setattr(metrics, "sums_of_steps", freeze)
    monkeypatch.setattr(metrics.history_query, "seconds", 0.05)
    try:
        assert ("studio_runs", "failed") not in scrape()
    finally:
        thaw.set()
    monkeypatch.setattr(metrics.history_query, "seconds", 60)
    assert scrape()["studio_runs", "failed"] == 0


async def test_it_counts_open_sockets_of_all_processes(site: str) -> None:
    """The scrape is answered by the tests' own process, which has none."""
    user = await sync_to_async(UserFactory.create)()
    article, (_, key) = (
        await sync_to_async(make_article)(user),
        await sync_to_async(ApiKey.objects.issue)(user, "tests"),
    )

    async def count() -> float:
        return (await sync_to_async(scrape)())[("studio_sockets_open",)]

    before = await count()
    async with (
        open_socket(site, f"/ws/articles/{article.pk}", key) as first,
        open_socket(site, f"/ws/articles/{article.pk}", key) as second,
    ):
        await first.next()
        await second.next()
        assert await count() == before + 2


def test_without_redis_open_sockets_are_unknown(settings: Any) -> None:
    settings.REDIS_ADDRESS = "redis://127.0.0.1:1"
    assert ("studio_sockets_open",) not in scrape()


def test_a_scrape_takes_the_same_queries_for_any_number_of_steps() -> None:
    run = make_completed_article(UserFactory.create()).runs.get()
    Step.objects.bulk_create(
        Step(
            run=run,
            stage="write",
            kind="section",
            section=number,
            status="completed",
            output={},
            prompt_tokens=1,
        )
        for number in range(100, 600)
    )
    with CaptureQueriesContext(connection) as queries:
        assert {row["stage"]: row["prompt"] for row in metrics.sums_of_steps()}["write"] == 520
    of_steps = [query["sql"] for query in queries if 'FROM "articles_step"' in query["sql"]]
    assert of_steps
    assert all("SUM(" in sql or "COUNT(" in sql for sql in of_steps)
