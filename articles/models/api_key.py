"""API keys. Only a hash is stored, so a key is shown once, when it is created."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection, models
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from articles.signals import api_key_created, api_keys_revoked

log = logging.getLogger(__name__)

PREFIX = "cs_"

CACHE_SECONDS = 2.0
MAX_CACHED = 1_000  # keys


@dataclass(frozen=True)
class KeyHolder:
    """Who a key belongs to, and whether it may only read."""

    user: User
    read_only: bool


_holders: dict[str, tuple[KeyHolder, float]] = {}
"""By the hash of the key, with the time until which the entry is valid."""


def hashed(key: str) -> str:
    """SHA-256, hexadecimal. A key has 256 random bits, so a slow hash would add nothing."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(self, user: User, name: str, *, days: int | None = None, read_only: bool = False) -> tuple[ApiKey, str]:
        """Create a key: its row, and its value, which is not stored. Without ``days`` it does not expire."""
        key = PREFIX + secrets.token_urlsafe(32)
        expires_at = timezone.now() + timedelta(days=days) if days else None
        limits = {"expires_at": expires_at, "read_only": read_only}
        row = self.create(user=user, name=name, hint=key[:8], key_hash=hashed(key), **limits)
        api_key_created.send(sender=ApiKey, key=row)
        return row, key

    def usable(self) -> Self:
        in_time = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(in_time, revoked_at=None, user__is_active=True)

    def revoke(self) -> int:
        """Revoke these keys for good. Returns how many were usable."""
        revoked = list(self.filter(revoked_at=None).select_related("user"))
        count = self.filter(pk__in=[key.pk for key in revoked], revoked_at=None).update(revoked_at=timezone.now())
        _holders.clear()
        if count:
            api_keys_revoked.send(sender=ApiKey, keys=revoked)
        return count

    def cached_holder(self, key: str) -> KeyHolder | None:
        """The holder, if this process has seen the key within ``CACHE_SECONDS``.

        A revoked key stops working at once in the process that revoked it, and within ``CACHE_SECONDS`` in others.
        """
        holder, expires = _holders.get(hashed(key), (None, 0.0))
        if holder is None or expires <= time.monotonic():
            return None
        # A copy: permissions are cached on the user, and would outlive the request.
        return replace(holder, user=copy(holder.user))

    def holder_of(self, key: str) -> KeyHolder | None:
        """The holder of a usable key, which is cached for ``CACHE_SECONDS`` in this process."""
        found = self.match(key)
        if found is None:
            return None
        if len(_holders) >= MAX_CACHED:
            _holders.clear()
        _holders[hashed(key)] = (KeyHolder(found.user, found.read_only), time.monotonic() + CACHE_SECONDS)
        return KeyHolder(copy(found.user), found.read_only)

    def match(self, key: str) -> ApiKey | None:
        """The usable key with this value, with its user. Records its use."""
        try:
            found = self.usable().select_related("user").get(key_hash=hashed(key))
        except ApiKey.DoesNotExist:
            return None
        found.note_use()
        return found


class ApiKey(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="What it is for, so that you know which one to revoke.")
    hint = models.CharField(max_length=12, editable=False, help_text="How it begins.")
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it does not expire.")
    read_only = models.BooleanField(default=False, help_text="It can read, but change nothing.")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def note_use(self) -> None:
        """Record the use, at most once a minute. Skipped while the database is busy: it must not fail or delay a read."""
        now = timezone.now()
        if self.last_used_at is not None and self.last_used_at > now - timedelta(minutes=1):
            return
        try:
            with short_lock_timeout():
                ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)
        except OperationalError as error:
            log.info("The use of API key %s was not recorded: %s", self.pk, error)


@contextmanager
def short_lock_timeout() -> Iterator[None]:
    """Fail after 50 ms, not after the usual 20 s, while another process writes to SQLite. PostgreSQL locks rows only."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 50")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")


@receiver([post_save, post_delete], sender=ApiKey)
@receiver([post_save, post_delete], sender=User)
def forget_holders(**_: object) -> None:
    """A key was changed, or a user deactivated."""
    _holders.clear()
