"""The metric of open WebSockets, counted over all web processes."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from articles.live.redis_layer import count_channels
from articles.operations.metrics import REGISTRY


class OpenSocketsCollector(Collector):
    """The metric is missing without Redis; ``studio_part_up`` shows why."""

    def collect(self) -> Iterator[Metric]:
        try:
            count = count_channels()
        except (RedisError, OSError):
            return
        yield GaugeMetricFamily("studio_sockets_open", "Open WebSockets of all web processes.", count)


collector = OpenSocketsCollector()


def register() -> None:
    REGISTRY.register(collector)
