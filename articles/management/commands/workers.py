"""``manage.py workers``: the processes that write articles."""

from __future__ import annotations

import gc
import time
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django_rq import get_worker

from contentstudio.runtime import redis_server

LOOK_EVERY = 0.5  # seconds between two looks whether Redis is back


class Command(BaseCommand):
    help = "Runs the workers that write articles, until SIGTERM. `manage.py studio` starts this."
    requires_system_checks = []  # they load every page, which this never shows

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, help="how many articles at once (by default what memory allows)")

    def handle(self, *args: Any, count: int | None, **options: Any) -> None:
        # Only now: CrewAI takes seconds to import, and no other command needs it. What is imported stays: to look through it
        # for garbage again and again would take a quarter of that time. The pool does so once, before it forks.
        gc.disable()
        from agents.worker.pool import Pool, default_count, shares
        from agents.worker.rq_worker import CrewWorker  # noqa: F401  (settings name it; imported before the fork)

        gc.enable()

        if count is not None and count < 1:
            raise CommandError("--count must be 1 or more.")
        if settings.ARTICLES_PER_WORKER < 1:
            raise CommandError("ARTICLES_PER_WORKER must be 1 or more.")
        capacity = shares(count or default_count(), settings.ARTICLES_PER_WORKER)
        connections.close_all()  # a connection shared over a fork would be two writers on one socket
        self.stdout.write(f"{len(capacity)} workers ready, for {sum(capacity)} articles at once.")
        Pool([partial(work, number) for number in capacity]).run()


def work(capacity: int) -> None:
    """One worker's life, in a process of its own: its connection to Redis is made here, never before the fork.

    A worker ends where Redis is away for long, and its successor waits here until it is back.
    """
    while not redis_server.is_reachable(settings.REDIS_ADDRESS):
        time.sleep(LOOK_EVERY)
    get_worker("articles", capacity=capacity).work(logging_level=None)
