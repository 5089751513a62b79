"""Checks of what upgrades and backups need, for ``manage.py doctor``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from agents.contract import HealthCheck
from articles.exceptions import BackupRefused, IncompatibleDatabase
from articles.models import Article, BackupState
from articles.operations.backup.databases import client_program
from articles.operations.backup.space import reserve
from contentstudio.runtime.compatibility import refuse_too_new, refuse_too_old

OVERDUE = timedelta(days=7)
"""Age of the last backup that is a warning if none are scheduled. With a schedule, it is twice the interval."""


def database_checks() -> Iterator[HealthCheck]:
    """Of a database that can be reached."""
    yield check_version()
    if connection.vendor == "postgresql":
        yield check_encoding()
        yield check_programs()


def check_version() -> HealthCheck:
    """Whether this version can use the database, or migrate it."""
    try:
        refuse_too_old()
        refuse_too_new()
    except IncompatibleDatabase as error:
        return HealthCheck("Database version", "error", str(error), "Run a version that fits, or restore a backup.")
    return HealthCheck("Database version", "ok", f"Version {settings.VERSION} can use it.")


def check_encoding() -> HealthCheck:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        encoding = cursor.fetchone()[0]
    if encoding != "UTF8":
        action = "Make a backup, create a database WITH ENCODING 'UTF8' TEMPLATE template0, and restore into it."
        return HealthCheck("Encoding", "error", f"It is {encoding}, which cannot store every character.", action)
    return HealthCheck("Encoding", "ok", "It is UTF8.")


def check_programs() -> HealthCheck:
    """Whether backups can be made and restored."""
    try:
        found = [Path(client_program(name)).name for name in ("pg_dump", "pg_restore")]
    except BackupRefused as error:
        return HealthCheck("PostgreSQL programs", "error", "Backups cannot be made or restored.", str(error))
    return HealthCheck("PostgreSQL programs", "ok", f"{' and '.join(found)} can be used with this server.")


# Backups and space


def check_backup() -> HealthCheck:
    name = "Backup"
    try:
        state = BackupState.objects.first()
        oldest = Article.objects.order_by("pk").values_list("created_at", flat=True).first()
    except DatabaseError:  # reported by the check of the tables
        return HealthCheck(name, "warning", "It is not known when the last was made: the database cannot be read.")
    if state and state.failed_at:
        return HealthCheck(
            name,
            "error",
            f"The last one failed on {state.failed_at:%Y-%m-%d %H:%M} UTC. {state.error}",
            "Follow the advice; it is tried again within the hour. Or make one with `manage.py backup`.",
        )
    scheduled = settings.BACKUP_EVERY_HOURS
    action = "Check that the sweeper runs." if scheduled else "Set BACKUP_EVERY_HOURS, or run `manage.py backup`."
    if not state or not state.succeeded_at:
        if oldest is None:
            return HealthCheck(name, "ok", "There is nothing to back up yet.")
        if scheduled and not is_late(oldest):
            message = f"None has been made yet. The first is made when an article is {scheduled:g} hours old."
            return HealthCheck(name, "ok", message)
        return HealthCheck(name, "warning", "None has been made.", action)
    message = f"The last one was made on {state.succeeded_at:%Y-%m-%d %H:%M} UTC on {state.machine}: {state.file},"
    message += f" {filesizeformat(state.size)}."
    if is_late(state.succeeded_at):
        return HealthCheck(name, "warning", message, action)
    return HealthCheck(name, "ok", message)


def is_late(last: datetime) -> bool:
    scheduled = settings.BACKUP_EVERY_HOURS
    return timezone.now() - last > (timedelta(hours=2 * scheduled) if scheduled else OVERDUE)


def check_space() -> HealthCheck:
    """Whether the disks of VAR and of the backups have more free than backups leave."""
    places = {settings.VAR, next(path for path in (settings.BACKUP_DIR, *settings.BACKUP_DIR.parents) if path.exists())}
    disks = {place.stat().st_dev: (place, shutil.disk_usage(place)) for place in sorted(places)}
    free = ", ".join(f"{filesizeformat(disk.free)} free at {place}" for place, disk in disks.values())
    if any(disk.free < reserve(disk.total) for _, disk in disks.values()):
        action = "Free some space: no backup is made, and a full disk stops the studio."
        return HealthCheck("Disk space", "error", f"A disk is nearly full: {free}.", action)
    if any(disk.free < 2 * reserve(disk.total) for _, disk in disks.values()):
        return HealthCheck("Disk space", "warning", f"A disk is filling up: {free}.", "Free some space soon.")
    return HealthCheck("Disk space", "ok", f"{free}.")
