"""Prometheus metrics, read from the database and Redis at each scrape: no process keeps state for them.

Sums over the existing articles fall when one is deleted, so they are gauges. Histograms and counters are summed in Redis, see
``articles.runs.measurements``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db import Error
from django.db.models import Count, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from agents.contract import AGENTS
from agents.exceptions import FailureCode
from articles.authentication import key_in
from articles.models import Run, Status, Step
from articles.operations.backup_metrics import backup_metrics
from articles.operations.bounded_query import BoundedQuery
from articles.operations.health import Health, check_health
from articles.runs.measurements import MEASURES, Measure, read_sums

REGISTRY = CollectorRegistry()

TOKENS = ("prompt", "completion", "cached", "reasoning")


class StudioCollector(Collector):
    """Queries at scrape time. Without the database, only health is reported."""

    def collect(self) -> Iterator[Metric]:
        health = check_health()
        yield from health_metrics(health)
        if health.redis:
            yield from measured_metrics()
        if health.work is None:
            return
        try:
            found = history_query.run()
        except (Error, TimeoutError):  # the database went away since; the next scrape reports that
            return
        yield from found


REGISTRY.register(StudioCollector())


def history_metrics() -> list[Metric]:
    return [*run_metrics(), *step_metrics(), *backup_metrics()]


history_query = BoundedQuery(history_metrics, seconds=8)  # Prometheus gives up after ten


def health_metrics(health: Health) -> Iterator[Metric]:
    yield InfoMetricFamily("studio", "The studio's version.", value={"version": health.version})
    parts = {"database": health.database, "redis": health.redis}
    yield by_label("studio_part_up", "1 if this part answers.", "part", parts)
    workers = {"living": health.workers, "silent": health.stale_workers}
    yield by_label("studio_workers", "Workers; silent ones are registered but send no heartbeat.", "state", workers)
    yield GaugeMetricFamily("studio_places", "Articles that can be written at once.", health.capacity)
    if health.work is None:
        return
    yield GaugeMetricFamily("studio_queue_depth", "Runs waiting for a worker.", health.work.waiting)
    yield GaugeMetricFamily("studio_oldest_waiting_seconds", "Longest wait for a worker.", health.work.oldest_waiting)
    yield GaugeMetricFamily("studio_runs_parked", "Runs waiting for their AI provider.", health.work.parked)
    yield GaugeMetricFamily("studio_runs_in_flight", "Runs in progress.", health.work.in_flight)


def run_metrics() -> Iterator[Metric]:
    counted = dict(Run.objects.order_by().values_list("status").annotate(Count("pk")))
    runs = {status: counted.get(status, 0) for status in Status.values}
    yield by_label("studio_runs", "Runs of existing articles by status.", "status", runs)
    failed = Run.objects.filter(status=Status.FAILED).order_by()
    codes = dict(failed.values_list("failure_code").annotate(Count("pk")))
    failures = {code.value: codes.get(code, 0) for code in FailureCode}
    yield by_label("studio_runs_failed", "Failed runs of existing articles by reason.", "reason", failures)


def step_metrics() -> Iterator[Metric]:
    """Sums over the steps of each agent, in one query."""
    calls = GaugeMetricFamily("studio_model_calls", "Model calls.", labels=["agent"])
    tokens = GaugeMetricFamily(
        "studio_tokens", "Tokens; cached ones are part of the prompt tokens.", labels=["agent", "kind"]
    )
    cost = GaugeMetricFamily("studio_cost_dollars", "Cost in US dollars, by the prices of the day.", labels=["agent"])
    for row in sums_of_steps():
        agent = AGENTS[row["stage"]]
        calls.add_metric([agent], row["calls"])
        cost.add_metric([agent], float(row["dollars"]))
        for kind in TOKENS:
            tokens.add_metric([agent, kind], row[kind])
    yield from (calls, tokens, cost)


def sums_of_steps() -> list[dict[str, Any]]:
    by_stage = Step.objects.order_by().values("stage")
    sums = by_stage.annotate(
        calls=Sum("model_calls"),
        dollars=Sum("cost"),
        **{kind: Sum(f"{kind}_tokens") for kind in TOKENS},
    )
    return [dict(row) for row in sums]


def measured_metrics() -> list[Metric]:
    """Empty if Redis went away since it was checked; the next scrape reports that."""
    try:
        sums = read_sums()
    except (RedisError, OSError):
        return []
    return [family_of(measure, sums[measure.name]) for measure in MEASURES]


def family_of(measure: Measure, fields: Mapping[str, float]) -> Metric:
    """Each value of the label has its samples from the start: a counter that appears with its first event has no rate."""
    labels = [measure.label] if measure.label else []
    if not measure.bounds:
        counter = CounterMetricFamily(measure.name, measure.documentation, labels=labels)
        for value in measure.values:
            counter.add_metric([value] if labels else [], fields.get(f"{value}|sum", 0))
        return counter
    histogram = HistogramMetricFamily(measure.name, measure.documentation, labels=labels)
    for value in measure.values:
        buckets, total = [], 0.0
        for bound in (*(str(float(bound)) for bound in measure.bounds), "+Inf"):
            total += fields.get(f"{value}|{bound}", 0)
            buckets.append((bound, total))
        histogram.add_metric([value] if labels else [], buckets, fields.get(f"{value}|sum", 0))
    return histogram


def by_label(name: str, documentation: str, label: str, values: dict[str, int] | dict[str, bool]) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For METRICS_TOKEN as a bearer token, and for staff. 404 for everyone else."""
    if not may_read(request):
        raise Http404
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    token = key_in(request.headers.get("Authorization", ""))
    if token is not None:
        expected = settings.METRICS_TOKEN
        return bool(expected) and secrets.compare_digest(token.encode(), expected.encode())
    return request.user.is_active and request.user.is_staff
