"""``manage.py sweep``: puts runs back to work whose worker is gone."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections
from redis.exceptions import ConnectionError as RedisAway

from articles import services

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Puts back to work what was let go, every two seconds, until SIGTERM. `manage.py studio` starts this."
    requires_system_checks = []  # they load every page, which this never shows

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=2.0, help="seconds between two looks (default: 2)")

    def handle(self, *args: Any, every: float, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.wait(every):
            sweep_once()


def sweep_once() -> None:
    """One look. A store or a Redis that is away for a while is told of and asked again; anything else is a fault."""
    close_old_connections()
    try:
        count = services.sweep()
    except (OperationalError, RedisAway) as error:
        logger.warning("Could not look for runs that were let go, and will try again: %s", error)
        return
    if count:
        logger.info("Put %d runs back to work.", count)
