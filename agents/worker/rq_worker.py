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
from rq.executions import Execution
from rq.job import Job
from rq.queue import Queue
from structlog.contextvars import bind_contextvars

from agents.worker import jobs  # seconds of CPU and most of the memory: paid once, shared by every fork
from agents.worker.preload import preload
from contentstudio.runtime.heartbeats import Heartbeat
from contentstudio.runtime.parent_death import die_with_parent

preload()

RECONNECT_EVERY = 0.25  # seconds between two attempts while Redis is unavailable


class LivingBackoff(ConstantBackoff):
    """Waits before the next attempt to reach Redis. Each attempt is a heartbeat: a worker outlasts an outage of Redis."""

    def __init__(self, seconds: float, heartbeat: Heartbeat | None) -> None:
        super().__init__(seconds)
        self._heartbeat = heartbeat

    def compute(self, failures: int) -> float:
        if self._heartbeat:
            self._heartbeat.beat()
        return super().compute(failures)


class CrewWorker(Worker):
    """A worker whose job ends with it, whose death is noticed within seconds, and which hands its runs over when stopped.

    A job that outlived its worker would run next to the one that the sweeper starts in its place. The lease keeps the two
    apart, but the second would cost money. A job may write up to ``capacity`` articles at once. ``heartbeats`` are those of
    the worker and of the process in which it writes, for health checks of this machine.
    """

    def __init__(
        self, *args: Any, capacity: int = 1, heartbeats: tuple[Heartbeat, Heartbeat] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(
            *args, **{"worker_ttl": 25, "maintenance_interval": 10, "job_monitoring_interval": 5, **kwargs}
        )
        # Without a limit: RQ ends a worker that loses Redis during a job, and the job with it.
        self.capacity = capacity
        self.own_heartbeat: Heartbeat | None = heartbeats[0] if heartbeats else None
        self.job_heartbeat: Heartbeat | None = heartbeats[1] if heartbeats else None
        self.connection.set_retry(Retry(LivingBackoff(RECONNECT_EVERY, self.own_heartbeat), retries=-1))

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Also registers the worker: after Redis was emptied, the studio would report that no worker is running."""
        if self.own_heartbeat:
            self.own_heartbeat.beat()
        super().heartbeat(timeout, pipeline)
        worker_registration.register(self, pipeline)
        redis = pipeline or self.connection
        redis.hset(self.key, "capacity", self.capacity)
        redis.hset(self.key, "expires_in", timeout or self.worker_ttl + 60)

    def handle_warm_shutdown_request(self) -> None:
        """RQ would wait for the job, which takes minutes. The job gets the signal, too, and hands its runs over."""
        if self.horse_pid:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(self.horse_pid, signal.SIGTERM)

    def monitor_work_horse(self, job: Job, queue: Queue, execution: Execution) -> None:
        try:
            super().monitor_work_horse(job, queue, execution)
        finally:
            if self.job_heartbeat:
                self.job_heartbeat.remove()

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        assert self.pid is not None
        die_with_parent(self.pid)
        bind_contextvars(**job.meta)  # the id of the request, for each log line
        jobs.capacity.set(self.capacity)
        jobs.heartbeat.set(self.job_heartbeat)
        super().main_work_horse(job, queue)
