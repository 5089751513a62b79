"""Backups that the studio makes by itself: every ``BACKUP_EVERY_HOURS``, and before migrations are applied."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from articles.exceptions import BackupRefused
from articles.models import Article, BackupState
from articles.operations.backup.create import make_backup
from contentstudio.runtime.migrations import has_data, missing_migrations

logger = logging.getLogger(__name__)

CLAIMED_FOR = timedelta(hours=6)
"""How long the other machines leave a scheduled backup to the one that began it: it may have died."""

RETRIED_AFTER = timedelta(hours=1)
ABANDONED_AFTER = 3600.0  # seconds since anything was written to an incomplete file


class Reason(StrEnum):
    """Part of the file's name. Old files are deleted for each reason apart, those made on request never."""

    SCHEDULED = "scheduled"
    MIGRATION = "before-migration"
    REQUEST = "on-request"


def new_file(reason: Reason) -> Path:
    """A name in ``BACKUP_DIR``, which is created, and where leftovers of killed backups are removed. Raises BackupRefused."""
    try:
        settings.BACKUP_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in settings.BACKUP_DIR.glob(".studio-*.part"):
            if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink()
    except OSError as error:
        raise BackupRefused(
            f"BACKUP_DIR is {settings.BACKUP_DIR}, which cannot be used: {error.strerror}. Choose another directory."
        ) from error
    return settings.BACKUP_DIR / f"studio-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}-{reason}.tar.gz"


def delete_old(reason: Reason) -> None:
    """Keeps the newest ``BACKUP_KEEP``; all, if that is 0. Raises OSError."""
    made = sorted(settings.BACKUP_DIR.glob(f"studio-*-{reason}.tar.gz"))
    for path in made[: -settings.BACKUP_KEEP] if settings.BACKUP_KEEP else []:
        path.unlink()
        logger.info("Deleted the backup %s: the newest %d are kept.", path, settings.BACKUP_KEEP)


# Before migrations


def back_up_before_migrating(write: Callable[[str], None]) -> Path | None:
    """The file; None without data or missing migrations, or if it is switched off. Raises BackupRefused.

    ``write`` prints what is done. To be recorded by ``record_success`` once there is a table for it.
    """
    if not settings.BACKUP_BEFORE_MIGRATION or not has_data() or not (missing := missing_migrations()):
        return None
    try:
        target = new_file(Reason.MIGRATION)
        write(f"Backing up the studio to {target}, before {missing} migration{'' if missing == 1 else 's'}.")
        make_backup(target)
        delete_old(Reason.MIGRATION)
    except (BackupRefused, OSError) as error:
        raise BackupRefused(
            f"The database was not migrated, because the backup before it failed: {error} To go on without it, make a"
            " backup by other means and start once with BACKUP_BEFORE_MIGRATION=false."
        ) from error
    write(f"The backup is complete: {filesizeformat(target.stat().st_size)}.")
    return target


# On a schedule


def interval() -> timedelta:
    return timedelta(hours=settings.BACKUP_EVERY_HOURS)


def is_due() -> bool:
    """Whether a scheduled backup should be begun now, by any machine. Raises DatabaseError.

    The first is due when the oldest article has the age of the interval: a new studio is not busy with it at once.
    """
    if not settings.BACKUP_EVERY_HOURS:
        return False
    oldest = Article.objects.order_by("pk").values_list("created_at", flat=True).first()
    if oldest is None or oldest > timezone.now() - interval():
        return False
    return not BackupState.objects.exists() or BackupState.objects.due(interval()).exists()


def claim() -> bool:
    """Whether this process is the one to make the backup that is due."""
    if not is_due():
        return False
    BackupState.objects.get_or_create(pk=1)
    return BackupState.objects.due(interval()).update(not_before=timezone.now() + CLAIMED_FOR) == 1


def make_scheduled_backup() -> Path | None:
    """None if none is due. Raises BackupRefused, after recording it; the next attempt is after ``RETRIED_AFTER``."""
    if not claim():
        return None
    try:
        target = new_file(Reason.SCHEDULED)
        make_backup(target)
        delete_old(Reason.SCHEDULED)
    except Exception as error:
        logger.error("The scheduled backup failed and will be tried again: %s", error)  # noqa: TRY400 (raised below)
        record_failure(str(error) if isinstance(error, BackupRefused) else f"{type(error).__name__}. See the log.")
        raise
    record_success(target)
    logger.info("Scheduled backup: %s, %s.", target, filesizeformat(target.stat().st_size))
    return target


def record_success(target: Path) -> None:
    """A failure is logged only: ``manage.py backup`` can be used before there is a table for it."""
    success = {
        "succeeded_at": timezone.now(),
        "file": str(target.resolve()),
        "size": target.stat().st_size,
        "machine": socket.gethostname(),
        "failed_at": None,
        "error": "",
        "not_before": None,
    }
    try:
        with transaction.atomic():
            BackupState.objects.update_or_create(pk=1, defaults=success)
    except DatabaseError as error:
        logger.warning("The backup is complete, but could not be recorded: %s", error)


def record_failure(error: str) -> None:
    now = timezone.now()
    BackupState.objects.filter(pk=1).update(
        failed_at=now, error=f"On {socket.gethostname()}: {error}", not_before=now + RETRIED_AFTER
    )
