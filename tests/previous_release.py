"""The database, files and queued jobs of the previous release, made by that release and kept in ``fixtures/``."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from redis import Redis

from articles.operations.backup.archive import DATABASE, MANIFEST, SETTINGS
from articles.operations.backup.databases import old_tables_kept
from tests.articles.archives import written

FILES = Path(__file__).parent / "fixtures" / "previous_release"
LAST_MIGRATION = ("articles", "0004_waiting_for_the_model")
MODELS = (
    "Voice",
    "AgentProfile",
    "Ceiling",
    "Article",
    "Source",
    "Revision",
    "Run",
    "Step",
    "Event",
    "Evidence",
    "Spending",
)


def database_file(directory: Path) -> Path:
    """The SQLite database of a studio of the previous release, made in ``directory`` if it is not there."""
    path = directory / "previous.sqlite3"
    if path.exists():
        return path
    with closing(sqlite3.connect(path)) as made:
        made.executescript((FILES / "database.sql").read_text())
    return path


def restore(directory: Path) -> None:
    """Restores the previous release's data into this studio and migrates it. ``directory`` is for temporary files."""
    if connection.vendor == "sqlite":
        call_command("restore", str(backup(directory)), "--replace", verbosity=0)
    else:
        with old_tables_kept():
            migrate_to_previous()
            copy_rows(database_file(directory))
            call_command("migrate", interactive=False, verbosity=0)
        for folder in ("media", "uploads"):
            shutil.copytree(FILES / folder, settings.VAR / folder, dirs_exist_ok=True)


def backup(directory: Path) -> Path:
    """A backup made by ``manage.py backup`` of the previous release."""
    database = database_file(directory)
    with closing(sqlite3.connect(database)) as made:
        migrations = [f"{app}.{name}" for app, name in made.execute("SELECT app, name FROM django_migrations")]
    found = {str(path.relative_to(FILES)): path.read_bytes() for path in FILES.glob("*/**/*") if path.is_file()}
    files = {SETTINGS: b"{}", DATABASE: database.read_bytes(), **found}
    manifest = {
        "format": 1,
        "version": "0.1.0",
        "made_at": datetime(2026, 11, 30, tzinfo=UTC).isoformat(),
        "store": "sqlite",
        "migrations": migrations,
        "parts": {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        },
    }
    return written(directory / "previous.tar.gz", {**files, MANIFEST: json.dumps(manifest).encode()})


def enqueue_jobs(redis: Redis) -> list[str]:
    """Enqueues the jobs that waited when the previous release was stopped. Returns their ids."""
    jobs = json.loads((FILES / "queue.json").read_text())
    for job in jobs:
        fields = {name: base64.b64decode(value) for name, value in job["fields"].items()}
        redis.hset(f"rq:job:{job['id']}", mapping=fields)
        redis.rpush("rq:queue:articles", job["id"])
    return [job["id"] for job in jobs]


# PostgreSQL, for which there is no dump: the rows are copied into the tables of the previous release


def migrate_to_previous() -> None:
    executor = MigrationExecutor(connection)
    others = [key for key in executor.loader.graph.leaf_nodes() if key[0] != "articles"]
    executor.migrate([*others, LAST_MIGRATION])


def copy_rows(source: Path) -> None:
    apps = MigrationExecutor(connection).loader.project_state([LAST_MIGRATION]).apps
    tables = [apps.get_model("auth", "User"), *(apps.get_model("articles", name) for name in MODELS)]
    with closing(sqlite3.connect(source)) as previous, transaction.atomic():
        previous.row_factory = sqlite3.Row
        for model in tables:
            rows = previous.execute(f'SELECT * FROM "{model._meta.db_table}"').fetchall()
            model._default_manager.bulk_create(model(**values(model, row)) for row in rows)
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)


def values(model: type[models.Model], row: sqlite3.Row) -> dict[str, Any]:
    return {
        field.attname: value(field, row[field.column]) for field in model._meta.local_concrete_fields if field.column
    }


def value(field: models.Field[Any, Any], stored: Any) -> Any:
    if stored is None:
        return None
    if isinstance(field, models.JSONField):
        return json.loads(stored)
    if isinstance(field, models.DateTimeField):
        return timezone.make_aware(datetime.fromisoformat(stored), UTC)
    return field.to_python(stored)
