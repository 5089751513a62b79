"""Open WebSockets of a user, counted in Redis over all web processes of all machines.

Each process names its sockets again every few seconds, so those of a killed process are forgotten. Times are those of Redis:
clocks of machines may differ.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from functools import cache
from typing import Any

from redis.exceptions import RedisError

from articles.quotas.kinds import SOCKETS
from contentstudio.access.throttle import redis_client

log = logging.getLogger(__name__)

STALE = 30
"""Seconds after which a socket that was not named again counts no more. They are named every five seconds."""

SCRIPT = """
local now = redis.call('TIME')[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
local limit = tonumber(ARGV[2])
if limit > 0 and redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
for place = 3, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[place]) end
redis.call('EXPIRE', KEYS[1], ARGV[1] * 2)
return redis.call('ZCARD', KEYS[1])
"""
"""Names sockets of a user, unless a limit is reached; 0 then. Without names it counts."""

_lock = threading.Lock()
_own: defaultdict[int, set[str]] = defaultdict(set)
"""The sockets of this process, by user id."""


@cache
def script() -> Any:
    return redis_client().register_script(SCRIPT)


def key_of(user_id: int) -> str:
    return f"studio:sockets:{user_id}"


def open_socket(user_id: int, name: str) -> int:
    """Count a socket. Returns 0, or the limit if that is reached and it was not counted. Raises RedisError."""
    limit = SOCKETS.limit(user_id)
    if not script()(keys=[key_of(user_id)], args=[STALE, limit, name]):
        return limit
    with _lock:
        _own[user_id].add(name)
    return 0


def keep_sockets(user_id: int) -> None:
    """Name the user's sockets of this process again."""
    with _lock:
        names = list(_own[user_id])
    try:
        script()(keys=[key_of(user_id)], args=[STALE, 0, *names])
    except RedisError as error:
        log.debug("open sockets cannot be counted, Redis is unavailable: %s", error)


def close_socket(user_id: int, name: str) -> None:
    with _lock:
        _own[user_id].discard(name)
        if not _own[user_id]:
            del _own[user_id]
    try:
        redis_client().zrem(key_of(user_id), name)
    except RedisError as error:
        log.debug("a closed socket counts for %d s more, Redis is unavailable: %s", STALE, error)


def count_sockets(user_id: int) -> int:
    """0 if Redis does not answer."""
    try:
        return int(script()(keys=[key_of(user_id)], args=[STALE, 0]))
    except RedisError as error:
        log.warning("Open sockets are not known, because Redis does not answer: %s", error)
        return 0
