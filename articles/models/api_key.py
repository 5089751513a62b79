"""Keys for the API. Only a hash is kept, so a key can be shown once and never again."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

PREFIX = "cs_"


def hashed(key: str) -> str:
    """SHA-256, hexadecimal. A key has 256 random bits, so there is nothing for a slow hash to protect."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(self, user: User, name: str) -> tuple[ApiKey, str]:
        """A new key of ``user``'s: its row, and the key itself, which is not stored."""
        key = PREFIX + secrets.token_urlsafe(32)
        return self.create(user=user, name=name, hint=key[:8], key_hash=hashed(key)), key

    def usable(self) -> Self:
        return self.filter(revoked_at=None, user__is_active=True)

    def revoke(self) -> int:
        """Close these keys for good; how many were open."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())

    def match(self, key: str) -> ApiKey | None:
        """The usable key ``key`` is, with its user; notes at most once a minute that it was used."""
        try:
            found = self.usable().select_related("user").get(key_hash=hashed(key))
        except ApiKey.DoesNotExist:
            return None
        now = timezone.now()
        if found.last_used_at is None or found.last_used_at < now - timedelta(minutes=1):
            self.filter(pk=found.pk).update(last_used_at=now)
        return found


class ApiKey(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, help_text="What it is for, so that you know which one to revoke.")
    hint = models.CharField(max_length=12, editable=False, help_text="How it begins.")
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"
