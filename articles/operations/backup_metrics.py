"""Metrics of backups, which any process of any machine can answer: their state is in the database."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from articles.models import BackupState


def backup_metrics() -> Iterator[Metric]:
    """Time and size are missing before the first backup."""
    state = BackupState.objects.first() or BackupState()
    yield GaugeMetricFamily(
        "studio_last_backup_success", "0 if the last scheduled backup failed.", int(state.failed_at is None)
    )
    if state.succeeded_at:
        yield GaugeMetricFamily(
            "studio_last_backup_timestamp_seconds",
            "When the last successful backup was made.",
            state.succeeded_at.timestamp(),
        )
        yield GaugeMetricFamily("studio_last_backup_size_bytes", "Size of that backup.", state.size)
