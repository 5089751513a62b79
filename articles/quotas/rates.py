"""Quotas of a minute or a day, counted in Redis by all web processes of all machines. Without Redis nothing is limited."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import User

from articles.exceptions import QuotaReached
from articles.quotas.kinds import EXPORTS, MB, REQUESTS, UPLOAD_MB, UPLOADS
from contentstudio.access.throttle import Limit, TooManyAttempts, duration

MINUTE, DAY = 60, 24 * 60 * 60

LARGEST_BLOCK = 50
"""Requests that a process counts in one round trip, before they come: a second of the limit, 10 of 600 a minute."""

UNLIMITED, LOOK_AGAIN = 1_000_000, 5.0  # requests, seconds

_lock = threading.Lock()
_blocks: dict[int, tuple[int, float]] = {}
"""By user id: how many requests are counted already, or -1 if the user has to wait, and until when that holds."""


def count_request(user: User) -> None:
    """Count a request to the API, or a submitted form. Raises QuotaReached.

    Most requests are counted ahead in a block, and need neither Redis nor the database.
    """
    now = time.monotonic()
    with _lock:
        left, until = _blocks.get(user.pk, (0, 0.0))
        if until > now and left:
            if left < 0:
                raise too_many_requests(until - now)
            _blocks[user.pk] = (left - 1, until)
            return
    limit = request_limit(REQUESTS.limit(user.pk))
    block = max(1, min(LARGEST_BLOCK, limit.attempts // 60))
    try:
        seconds = limit.take(str(user.pk), block)
    except TooManyAttempts as error:
        remember(user, -1, now + error.retry_after)
        raise too_many_requests(error.retry_after) from error
    if seconds is None:  # no limit, or no Redis: no need to ask again at once
        remember(user, UNLIMITED, now + LOOK_AGAIN)
    else:
        remember(user, block - 1, now + seconds)


def remember(user: User, left: int, until: float) -> None:
    with _lock:
        if len(_blocks) > 10_000:
            _blocks.clear()
        _blocks[user.pk] = (left, until)


def forget_blocks() -> None:
    with _lock:
        _blocks.clear()


def too_many_requests(seconds: float) -> QuotaReached:
    wait = max(1, round(seconds))
    return QuotaReached(f"Too many requests. Try again in {duration(wait)}.", retry_after=wait)


def count_export(user_id: int) -> None:
    """Raises QuotaReached."""
    try:
        export_limit(EXPORTS.limit(user_id)).take(str(user_id))
    except TooManyAttempts as error:
        wait = error.retry_after
        raise QuotaReached(f"Too many exports. Try again in {duration(wait)}.", retry_after=wait) from error


@contextmanager
def counted_uploads(user: User, sizes: Sequence[int]) -> Iterator[None]:
    """Counts documents of these ``sizes`` in bytes, unless the block raises. Raises QuotaReached if they are too many."""
    if not sizes:
        yield
        return
    subject, taken = str(user.pk), list[tuple[Limit, int]]()
    limits = (
        (upload_limit(UPLOADS.limit(user.pk)), len(sizes)),
        (upload_size_limit(UPLOAD_MB.limit(user.pk)), sum(sizes)),
    )
    try:
        for limit, cost in limits:
            taken.append((limit, cost))
            try:
                limit.take(subject, cost)
            except TooManyAttempts as error:
                raise QuotaReached(
                    f"Too many {error.what}. Try again in {duration(error.retry_after)}, or leave some out.",
                    retry_after=error.retry_after,
                ) from error
        yield
    except BaseException:
        for limit, cost in taken:
            limit.give_back(subject, cost)
        raise


def request_limit(attempts: int) -> Limit:
    return Limit("requests", attempts, MINUTE, "requests")


def export_limit(attempts: int) -> Limit:
    return Limit("exports", attempts, MINUTE, "exports")


def upload_limit(attempts: int) -> Limit:
    return Limit("uploads", attempts, DAY, "documents were uploaded today")


def upload_size_limit(megabytes: int) -> Limit:
    return Limit("upload-bytes", megabytes * MB, DAY, "large documents were uploaded today")
