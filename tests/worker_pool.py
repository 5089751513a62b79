"""Real worker processes for the duration of a test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from tests.environment import ROOT
from tests.waiting import wait_until


@contextmanager
def running_workers(
    redis: Redis, environment: dict[str, str], count: int = 2, **how: Any
) -> Iterator[subprocess.Popen[Any]]:
    """Workers for ``count`` concurrent articles, registered in Redis. ``how`` goes to :class:`subprocess.Popen`."""
    before: Any = redis.smembers("rq:workers")  # of earlier tests; dead ones may be removed at any time
    command = [sys.executable, str(ROOT / "manage.py"), "workers", "--count", str(count)]
    pool = subprocess.Popen(command, env=environment, **how)

    def are_there() -> bool:
        assert pool.poll() is None, "the workers have ended; see their lines above"
        now: Any = redis.smembers("rq:workers")
        return sum(int(redis.hget(key, "capacity") or 0) for key in now - before) >= count

    try:
        wait_until(are_there, seconds=120)
        yield pool
    finally:
        pool.terminate()
        try:
            pool.wait(60)
        except subprocess.TimeoutExpired:
            pool.kill()
            raise
