"""``manage.py sweep``: requeues runs whose worker died, deletes what has expired or is orphaned, and starts scheduled backups."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from redis.exceptions import RedisError

from accounts.models import AuditEntry
from accounts.personal_data.exports import ExportThread, clean_up_exports
from accounts.second_factors import renew_encryption
from articles.operations.backup.process import BackupProcess
from articles.operations.orphaned_files import remove_orphaned_covers, remove_orphaned_uploads
from articles.operations.upload_sizes import measure_uploads
from articles.runs.db_retry import DB_UNAVAILABLE
from articles.runs.recovery import sweep
from contentstudio.runtime import heartbeats
from contentstudio.runtime.heartbeats import SWEEPER, Heartbeat

logger = logging.getLogger(__name__)

CLEAN_UP_INTERVAL = 24 * 60 * 60.0  # seconds
FILES_AGAIN = 10 * 60.0  # seconds: an outage of the file storage must not delay every sweep


class Command(BaseCommand):
    help = "Requeues runs of dead workers, every second, until SIGTERM. Started by `manage.py studio`."
    requires_system_checks = []  # they import every page

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two sweeps (default: 1)")

    def handle(self, *args: Any, every: float, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        heartbeats.prepare(settings.LOCAL)
        heartbeat = Heartbeat(settings.LOCAL, SWEEPER)
        backups, exports = BackupProcess(), ExportThread()
        unavailable_at = clean_up_at = -math.inf
        while not stop.is_set():
            # No lease can be renewed during a database outage: afterwards workers get the time to do so.
            if sweep_once(by_lease=time.monotonic() - unavailable_at > settings.LEASE_SECONDS):
                start_exports(exports)
            else:
                unavailable_at = time.monotonic()
            heartbeat.beat()  # also after a failed one: to restart the sweeper would not bring the database back
            if time.monotonic() >= clean_up_at:
                clean_up_at = time.monotonic() + clean_up()
            start_backup(backups)
            stop.wait(every)
        backups.stop()
        heartbeat.remove()


def sweep_once(*, by_lease: bool = True) -> bool:
    """One sweep. False if the database was unavailable, which is logged and tried again, like an outage of Redis."""
    close_old_connections()
    try:
        count = sweep(by_lease=by_lease)
    except (*DB_UNAVAILABLE, RedisError) as error:
        logger.warning("Could not look for runs of dead workers, and will try again: %s", error)
        return not isinstance(error, DB_UNAVAILABLE)
    if count:
        logger.info("Requeued %d runs.", count)
    return True


def start_exports(exports: ExportThread) -> None:
    try:
        exports.start_if_needed()
    except DB_UNAVAILABLE as error:
        logger.warning("Could not look for exports of personal data, and will try again: %s", error)


def start_backup(backups: BackupProcess) -> None:
    try:
        backups.start_if_due()
    except DB_UNAVAILABLE as error:
        logger.warning("Could not see whether a backup is due, and will try again: %s", error)


def clean_up() -> float:
    """Deletes what has expired or is orphaned, and renews encryption. Returns in how many seconds to do it again."""
    try:
        call_command("clearsessions")
        if removed := AuditEntry.objects.expired().delete()[0]:
            logger.info("Deleted %d entries of the audit log that are older than AUDIT_DAYS.", removed)
        if renewed := renew_encryption():
            logger.info("Encrypted %d second factors with the current SECRET_KEY.", renewed)
        if removed := remove_orphaned_uploads():
            logger.info("Deleted %d uploaded documents that belong to no article.", removed)
        if removed := remove_orphaned_covers():
            logger.info("Deleted %d images of articles that no longer exist.", removed)
        measure_uploads()
        clean_up_exports()
    except DB_UNAVAILABLE as error:
        logger.warning("Could not delete what has expired, trying again: %s", error)
        return 0
    except OSError as error:
        logger.warning("Could not delete orphaned files, trying again in %d minutes: %s", FILES_AGAIN / 60, error)
        return FILES_AGAIN
    return CLEAN_UP_INTERVAL
