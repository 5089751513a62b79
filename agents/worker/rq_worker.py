"""The RQ worker that writes articles: it has imported CrewAI before it forks, so that a job starts in milliseconds."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Any

from redis.backoff import ConstantBackoff
from redis.client import Pipeline
from redis.retry import Retry
from rq import Worker, worker_registration
from rq.job import Job
from rq.queue import Queue
from structlog.contextvars import bind_contextvars

from agents.worker import jobs  # seconds of CPU and most of the memory: paid once, shared by every fork
from agents.worker.preload import preload
from contentstudio.runtime.parent_death import die_with_parent

preload()

RECONNECT_EVERY = 0.25  # seconds between two tries to reach a Redis that is away


class CrewWorker(Worker):
    """A worker whose job dies with it, which is missed within seconds where it was killed, and hands over what it does when
    it is told to stop.

    A job that outlived its worker would go on beside the one the sweeper starts in its place. A run's row is the truth and
    its lease keeps the two apart; this saves what the second would cost. Its job may write up to ``capacity`` articles at once.
    """

    def __init__(self, *args: Any, capacity: int = 1, **kwargs: Any) -> None:
        super().__init__(
            *args, **{"worker_ttl": 25, "maintenance_interval": 10, "job_monitoring_interval": 5, **kwargs}
        )
        # Without end: RQ ends a worker that finds its Redis away amid a job, and the job with it.
        self.capacity = capacity
        self.connection.set_retry(Retry(ConstantBackoff(RECONNECT_EVERY), retries=-1))

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Registers too: a Redis that was emptied knows no worker, and the studio would say that nobody is there to write."""
        super().heartbeat(timeout, pipeline)
        worker_registration.register(self, pipeline)
        (pipeline or self.connection).hset(self.key, "capacity", self.capacity)

    def handle_warm_shutdown_request(self) -> None:
        """RQ would wait for the job, for which it takes minutes. The job is told too, and hands its run over."""
        if self.horse_pid:
            with suppress(ProcessLookupError):  # it ended just now
                os.kill(self.horse_pid, signal.SIGTERM)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        assert self.pid is not None
        die_with_parent(self.pid)
        bind_contextvars(**job.meta)  # the request that asked for it, told in each line of the log
        jobs.capacity.set(self.capacity)
        super().main_work_horse(job, queue)
