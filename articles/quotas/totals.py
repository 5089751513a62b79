"""Quotas of what a user has at once: articles at work, stored bytes, API keys. The database knows them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from redis.exceptions import RedisError

from articles.exceptions import QuotaReached
from articles.models import ApiKey, Article, Revision, Run, Source
from articles.quotas.kinds import ACTIVE_ARTICLES, API_KEYS, MB, STORAGE
from contentstudio.access.throttle import redis_client

log = logging.getLogger(__name__)

MEASURED_EVERY = 600
"""Seconds. The sum reads all texts of a user, so it is kept in Redis, and what is stored in between is added."""

ADD = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('INCRBY', KEYS[1], ARGV[1]) end"
"""Only to a measurement: a sum that has just expired would begin again at 0."""

ASK = "An administrator can raise the limit."


def locked(user: User) -> None:
    """Locks the user's row until the end of the transaction: two requests must not both take what is left."""
    User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()


# Articles


def active_articles(user: User) -> int:
    return Run.objects.active().filter(article__owner=user.pk).count()


def refuse_more_articles(owner: User) -> None:
    """Raises QuotaReached if no further article may be started. To be called within the transaction that starts it."""
    limit = ACTIVE_ARTICLES.limit(owner.pk)
    if not limit:
        return
    locked(owner)
    if active_articles(owner) >= limit:
        raise QuotaReached(
            f"No more than {limit} of your articles may wait or be written at once. Try again when some are finished. {ASK}",
            retry_after=60,
        )


# Storage


def storage_key(user_id: int) -> str:
    return f"studio:storage:{user_id}"


def stored_bytes(user: User) -> int:
    """As measured at most ``MEASURED_EVERY`` seconds ago, with what was added since."""
    try:
        known = redis_client().get(storage_key(user.pk))
        if known is not None:
            return int(known)
        measured = measure(user)
        redis_client().set(storage_key(user.pk), measured, ex=MEASURED_EVERY)
    except RedisError as error:
        log.warning("Storage is measured again, because Redis does not answer: %s", error)
        return measure(user)
    return measured


def measure(user: User) -> int:
    """Bytes of documents, and characters of texts and their revisions."""
    sources = Source.objects.filter(article__owner=user.pk).aggregate(
        documents=Sum("upload_bytes"), texts=Sum(Length("text"))
    )
    texts = Article.objects.filter(owner=user.pk).aggregate(characters=Sum(Length("content")))
    revisions = Revision.objects.filter(article__owner=user.pk).aggregate(characters=Sum(Length("content")))
    return sum(value or 0 for value in (*sources.values(), *texts.values(), *revisions.values()))


@contextmanager
def stored(owner: User, size: int) -> Iterator[None]:
    """Counts ``size`` bytes that the block stores, unless it raises. Raises QuotaReached if they do not fit."""
    limit = STORAGE.limit(owner.pk) if size else 0
    if limit and stored_bytes(owner) + size > limit * MB:
        raise QuotaReached(
            f"There is no room for this: {limit:,} MB may be stored. Delete articles you do not need. {ASK}"
        )
    yield
    try:
        redis_client().eval(ADD, 1, storage_key(owner.pk), size)
    except RedisError as error:
        log.warning("Storage is measured again, because Redis does not answer: %s", error)


def forget_measurement(user_id: int) -> None:
    """Something was deleted."""
    try:
        redis_client().delete(storage_key(user_id))
    except RedisError as error:
        log.warning("Deleted files count for another ten minutes, because Redis does not answer: %s", error)


# API keys


def usable_keys(user: User) -> int:
    return ApiKey.objects.usable().filter(user=user.pk).count()


def issue_key(user: User, name: str, *, days: int | None = None, read_only: bool = False) -> tuple[ApiKey, str]:
    """``ApiKey.objects.issue`` within the user's quota. Raises QuotaReached."""
    with transaction.atomic():
        locked(user)
        limit = API_KEYS.limit(user.pk)
        if limit and usable_keys(user) >= limit:
            raise QuotaReached(
                f"You have {limit} API keys, and no more are allowed. Revoke one that is not used. {ASK}"
            )
        return ApiKey.objects.issue(user, name, days=days, read_only=read_only)
