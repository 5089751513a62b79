"""Limits on attempts, counted in Redis by all web processes together. Without Redis nothing is limited."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from articles.exceptions import StudioError

log = logging.getLogger(__name__)


class TooManyAttempts(StudioError):
    """A limit was reached. ``is_first`` is true for the attempt that reached it, so that it can be recorded once."""

    status = 429
    retry_after: int

    def __init__(self, what: str, retry_after: int, *, is_first: bool = False) -> None:
        super().__init__(f"Too many {what}. Try again in {duration(retry_after)}.")
        self.what = what
        self.retry_after = retry_after
        self.is_first = is_first


def duration(seconds: int) -> str:
    """Such as "40 seconds", "12 minutes" or "5 hours", rounded up."""
    if seconds <= 90:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes" if seconds <= 90 * 60 else f"{-(-seconds // 3600)} hours"


@dataclass(frozen=True)
class Limit:
    """At most ``attempts`` of a subject, such as an address, in ``seconds`` from its first one. 0 attempts: no limit."""

    name: str
    attempts: int
    seconds: int
    what: str
    """What there were too many of, for the message."""

    def key(self, subject: str) -> str:
        return f"studio:limit:{self.name}:{hashlib.sha256(subject.encode()).hexdigest()[:32]}"

    def take(self, subject: str, cost: int = 1) -> int | None:
        """Count an attempt, or ``cost`` of them. Raises TooManyAttempts if there were too many.

        Counted before the attempt is made: of many at the same time no more than ``attempts`` pass. Returns the seconds after
        which they are forgotten, or None if nothing is limited.
        """
        if not self.attempts or not subject:
            return None
        try:
            with redis_client().pipeline() as pipeline:
                key = self.key(subject)
                pipeline.incrby(key, cost)
                pipeline.expire(key, self.seconds, nx=True)
                pipeline.ttl(key)
                count, _, left = pipeline.execute()
        except RedisError as error:
            log.warning("Attempts are not limited, because Redis does not answer: %s", error)
            return None
        if count > self.attempts:
            raise TooManyAttempts(self.what, max(1, left), is_first=count - cost <= self.attempts)
        return int(left)

    def used(self, subject: str) -> int:
        """How many attempts count at the moment; 0 if Redis does not answer."""
        try:
            return max(0, int(redis_client().get(self.key(subject)) or 0))
        except RedisError as error:
            log.warning("Attempts are not known, because Redis does not answer: %s", error)
            return 0

    def check(self, subject: str) -> None:
        """Raises TooManyAttempts if no attempt is left, without counting one."""
        if not self.attempts or not subject:
            return
        try:
            count, left = int(redis_client().get(self.key(subject)) or 0), 0
            if count >= self.attempts:
                left = redis_client().ttl(self.key(subject))
        except RedisError as error:
            log.warning("Attempts are not limited, because Redis does not answer: %s", error)
            return
        if count >= self.attempts:
            raise TooManyAttempts(self.what, max(1, left))

    def give_back(self, subject: str, cost: int = 1) -> None:
        """Forget an attempt, because it does not count. Earlier ones still do: they may be another person's."""
        if not self.attempts or not subject:
            return
        try:
            if redis_client().decrby(self.key(subject), cost) < 0:
                redis_client().delete(self.key(subject))  # it expired in between
        except RedisError as error:
            log.warning("An attempt still counts that should not, because Redis does not answer: %s", error)

    def reset(self, subject: str) -> None:
        """Forget all attempts."""
        try:
            redis_client().delete(self.key(subject))
        except RedisError as error:
            log.warning("Attempts were not forgotten, because Redis does not answer: %s", error)


@cache
def redis_client() -> Redis:
    """Cached, with its pool. Short timeouts and no retry: nobody should wait for a limit."""
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_ADDRESS, socket_timeout=0.5, socket_connect_timeout=0.5, retry=once)
