"""Quotas of single users, in place of those of the settings."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Quota(models.Model):
    """What a user may use. Empty: as in the settings; 0: no limit."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quota")
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    active_articles = models.PositiveIntegerField(
        "articles waiting or being written", null=True, blank=True, help_text="At once."
    )
    uploads_per_day = models.PositiveIntegerField("documents per day", null=True, blank=True)
    upload_mb_per_day = models.PositiveIntegerField("MB of documents per day", null=True, blank=True)
    storage_mb = models.PositiveIntegerField(
        "MB stored", null=True, blank=True, help_text="Documents, texts and their revisions."
    )
    exports_per_minute = models.PositiveIntegerField(null=True, blank=True)
    sockets = models.PositiveIntegerField("live connections", null=True, blank=True)
    api_keys = models.PositiveIntegerField("API keys", null=True, blank=True)

    def __str__(self) -> str:
        return f"Quota of {self.user}"
