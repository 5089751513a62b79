"""Figures of the studio for a support bundle: counts, states and times. No texts, names or addresses."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import distributions
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.models import Count, Max, Sum
from django_rq import get_queue

from articles.models import Article, BackupState, Event, Run, SchemaVersion, Step
from articles.operations.backup.databases import store_of
from articles.operations.health import check_health

LAST_RUNS = 100
FIELDS_OF_RUN = ("id", "status", "failure_code", "attempts", "failed_tries", "created_at", "started_at", "finished_at")


def versions() -> dict[str, Any]:
    return {
        "studio": settings.VERSION,
        "python": sys.version,
        "system": platform.platform(),
        "database": database_version(),
        "packages": dict(sorted((found.name, found.version) for found in distributions())),
    }


def database_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version")
        return f"{connection.display_name} {cursor.fetchone()[0]}"


def migrations() -> dict[str, Any]:
    loader = MigrationLoader(connection)
    applied, known = set(loader.applied_migrations), set(loader.disk_migrations)
    return {
        "schema": SchemaVersion.objects.values("version", "oldest_compatible", "migrated_at").first(),
        "missing": sorted(map(".".join, known - applied)),
        "unknown": sorted(map(".".join, applied - known)),
        "applied": sorted(map(".".join, applied)),
    }


def work() -> dict[str, Any]:
    """Health, and runs and steps by state."""
    return {
        "health": check_health().model_dump(exclude={"model"}),
        "rows": {model.__name__: model._default_manager.count() for model in (Article, Run, Step, Event)},
        "bytes_of_database": store_of(connection.vendor).size(),
        "runs_by_status": counted(Run, "status"),
        "failed_runs_by_code": counted(Run, "failure_code"),
        "steps": list(
            Step.objects.order_by("stage", "kind", "status")
            .values("stage", "kind", "status")
            .annotate(count=Count("pk"), calls=Sum("model_calls"), last=Max("finished_at"))
        ),
        "last_runs": list(Run.objects.order_by("-pk").values(*FIELDS_OF_RUN)[:LAST_RUNS]),
        "backup": BackupState.objects.values("succeeded_at", "failed_at", "size", "not_before").first(),
    }


def counted(model: type[Run], column: str) -> dict[str, int]:
    return dict(model.objects.order_by(column).values_list(column).annotate(Count("pk")))


def queue() -> dict[str, Any]:
    """RQ's registries. Raises RedisError."""
    found = get_queue("articles")
    return {
        "queued": found.count,
        "started": found.started_job_registry.count,
        "failed": found.failed_job_registry.count,
        "finished": found.finished_job_registry.count,
    }
