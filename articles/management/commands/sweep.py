"""``manage.py sweep``: puts runs back to work whose worker is gone."""

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

from articles.operations.uploads import remove_orphaned_uploads
from articles.runs.db_retry import DB_UNAVAILABLE
from articles.runs.recovery import sweep

logger = logging.getLogger(__name__)

A_DAY = 24 * 60 * 60.0  # seconds


class Command(BaseCommand):
    help = "Puts back to work what was let go, every second, until SIGTERM. `manage.py studio` starts this."
    requires_system_checks = []  # they load every page, which this never shows

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks (default: 1)")

    def handle(self, *args: Any, every: float, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        away = tidied = -math.inf
        while not stop.is_set():
            # Nobody could renew a lease in a store that was away until just now: those at work have time to do it.
            if not sweep_once(by_lease=time.monotonic() - away > settings.LEASE_SECONDS):
                away = time.monotonic()
            if time.monotonic() - tidied > A_DAY and tidy_up():
                tidied = time.monotonic()
            stop.wait(every)


def sweep_once(*, by_lease: bool = True) -> bool:
    """One look; False where the store was away. That is told of and asked again, as is a Redis; anything else is a fault."""
    close_old_connections()
    try:
        count = sweep(by_lease=by_lease)
    except (*DB_UNAVAILABLE, RedisError) as error:
        logger.warning("Could not look for runs that were let go, and will try again: %s", error)
        return not isinstance(error, DB_UNAVAILABLE)
    if count:
        logger.info("Put %d runs back to work.", count)
    return True


def tidy_up() -> bool:
    """Deletes expired sessions and orphaned uploads. False if the database was unavailable."""
    try:
        call_command("clearsessions")
        if removed := remove_orphaned_uploads():
            logger.info("Deleted %d uploaded documents that belong to no article.", removed)
    except DB_UNAVAILABLE as error:
        logger.warning("Could not delete expired sessions and orphaned uploads, trying again: %s", error)
        return False
    return True
