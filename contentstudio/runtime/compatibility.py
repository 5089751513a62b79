"""Whether this version can use the database, which may be too old to be migrated, or migrated by a version too new.

Each version states in the database which older ones can use its tables (``SchemaVersion``), so that their processes may
go on, and be restarted, while machines are upgraded one after the other.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.signals import post_migrate
from django.utils.version import get_version_tuple

from articles.exceptions import IncompatibleDatabase
from articles.models import SchemaVersion
from contentstudio.runtime.migrations import has_data, missing_migrations

OLDEST_DATABASE = "0.1.0"
OLDEST_MIGRATION = ("articles", "0004_waiting_for_the_model")
"""The oldest version whose database and backups this one migrates, and the last migration that it had."""

OLDEST_COMPATIBLE = "0.1.0"
"""The oldest version whose processes can use the tables of this one. docs/decisions/0089 says when to raise it."""


def connect() -> None:
    post_migrate.connect(record_version, sender=apps.get_app_config("articles"), dispatch_uid="schema-version")


def record_version(*, using: str, apps: Any = apps, **signal: Any) -> None:
    """After each migration, unless a newer version had applied the last one. ``apps`` has the tables there are now."""
    try:
        rows = apps.get_model("articles", "SchemaVersion").objects.using(using)
    except LookupError:  # migrated back to before there was one
        return
    found = rows.first()
    if found and get_version_tuple(found.version) > get_version_tuple(settings.VERSION):
        return
    rows.update_or_create(pk=1, defaults={"version": settings.VERSION, "oldest_compatible": OLDEST_COMPATIBLE})


def applied_migrations() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def refuse_too_old() -> None:
    """Raises IncompatibleDatabase for data of a version before ``OLDEST_DATABASE``."""
    applied = applied_migrations()
    if OLDEST_MIGRATION in applied or not has_data():
        return
    newest = max((name for app, name in applied if app == OLDEST_MIGRATION[0]), default="none")
    raise IncompatibleDatabase(
        f"{too_old(f'The database is of a version before {OLDEST_DATABASE}: its newest migration is articles.{newest}.')}"
        " Nothing was changed."
    )


def too_old(finding: str) -> str:
    return (
        f"{finding} This version, {settings.VERSION}, can upgrade {OLDEST_DATABASE} and newer: start or restore it with"
        f" {OLDEST_DATABASE} first."
    )


def refuse_too_new() -> None:
    """Raises IncompatibleDatabase if a newer version has migrated the database, unless it declared this one compatible."""
    unknown = sorted(applied_migrations() - set(MigrationLoader(None).disk_migrations))
    if not unknown:
        return
    found = stored_version()
    if found is None or get_version_tuple(found.oldest_compatible) > get_version_tuple(settings.VERSION):
        by = f"version {found.version}" if found else "another version"
        oldest = found.oldest_compatible if found else "a newer version"
        raise IncompatibleDatabase(
            f"The database was migrated by {by}; this is {settings.VERSION}, which does not have its migration"
            f" {'.'.join(unknown[0])} and cannot use its tables. Start {oldest} or newer, or restore the backup that was"
            " made before the migration. Nothing was changed."
        )
    if missing := missing_migrations():
        raise IncompatibleDatabase(
            f"The database was migrated by version {found.version}, and lacks {missing} of the migrations of this one,"
            f" {settings.VERSION}: they are not of one line of versions. Start {found.version} or newer."
        )


def stored_version() -> SchemaVersion | None:
    """None before there was a table for it."""
    try:
        return SchemaVersion.objects.first()
    except DatabaseError:
        return None
