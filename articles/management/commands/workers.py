"""``manage.py workers``: the processes that write articles."""

from __future__ import annotations

import gc
import os
import time
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django_rq import get_worker

from contentstudio.runtime import heartbeats, redis_server
from contentstudio.runtime.heartbeats import WORKER_KINDS, Heartbeat

REDIS_POLL_INTERVAL = 0.5  # seconds


class Command(BaseCommand):
    help = "Runs the workers that write articles, until SIGTERM. Started by `manage.py studio`."
    requires_system_checks = []  # they import every page

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--count", type=int, help="number of articles written at once (default: as many as memory allows)"
        )

    def handle(self, *args: Any, count: int | None, **options: Any) -> None:
        # Imported here because CrewAI takes seconds, and other commands do not need it. Without garbage collection, which
        # would take a quarter of that time: the pool collects once, before it forks.
        gc.disable()
        from agents.worker.pool import Pool, default_count, shares
        from agents.worker.rq_worker import CrewWorker  # noqa: F401  (settings name it; imported before the fork)

        gc.enable()

        if count is not None and count < 1:
            raise CommandError("--count must be 1 or more.")
        if settings.ARTICLES_PER_WORKER < 1:
            raise CommandError("ARTICLES_PER_WORKER must be 1 or more.")
        capacity = shares(count or default_count(), settings.ARTICLES_PER_WORKER)
        connections.close_all()  # forked processes must not share a connection
        heartbeats.prepare(settings.LOCAL)
        heartbeats.remove_of_ended_pools(settings.LOCAL, WORKER_KINDS)
        names = [f"{os.getpid()}-{number}" for number in range(1, len(capacity) + 1)]
        for name in names:  # before the fork: a worker that never starts must be missed
            Heartbeat(settings.LOCAL, f"worker-{name}").beat()
        self.stdout.write(f"{len(capacity)} workers ready, for {sum(capacity)} articles at once.")
        self.stdout.flush()
        Pool([partial(work, *worker) for worker in zip(capacity, names, strict=True)]).run()
        heartbeats.remove_of_ended_pools(settings.LOCAL, WORKER_KINDS)


def work(capacity: int, name: str) -> None:
    """Run one worker. Called after the fork: a connection to Redis must not be inherited.

    A worker exits if Redis is unavailable for long; the one that replaces it waits here.
    """
    heartbeat = Heartbeat(settings.LOCAL, f"worker-{name}")
    while not redis_server.is_reachable(settings.REDIS_ADDRESS):
        heartbeat.beat()
        time.sleep(REDIS_POLL_INTERVAL)
    job_heartbeat = Heartbeat(settings.LOCAL, f"job-{name}")
    get_worker("articles", capacity=capacity, heartbeats=(heartbeat, job_heartbeat)).work(logging_level=None)
