"""The audit log: who did what to accounts and access, from where and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone


class AuditAction(models.TextChoices):
    SIGNED_IN = "signed_in", "Signed in"
    SIGN_IN_FAILED = "sign_in_failed", "Sign-in failed"
    SIGN_IN_LIMITED = "sign_in_limited", "Sign-in blocked for a while"
    SIGNED_OUT = "signed_out", "Signed out"
    SESSION_ENDED = "session_ended", "Other sessions ended"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    PASSWORD_RESET = "password_reset", "Password reset by mail"
    TWO_FACTOR_ADDED = "two_factor_added", "Second factor added"
    TWO_FACTOR_REMOVED = "two_factor_removed", "Second factor removed"
    KEY_CREATED = "key_created", "API key created"
    KEY_REVOKED = "key_revoked", "API key revoked"
    USER_CREATED = "user_created", "User created"
    USER_CHANGED = "user_changed", "User’s access changed"
    USER_DELETED = "user_deleted", "User deleted"
    DATA_EXPORTED = "data_exported", "Export of personal data requested"
    DATA_DOWNLOADED = "data_downloaded", "Personal data downloaded"
    ADMINISTRATION = "administration", "Changed in the administration"


class DataExportQuerySet(models.QuerySet["DataExport"]):
    def expired(self) -> Self:
        return self.filter(finished_at__lt=timezone.now() - DataExport.KEPT)


class DataExport(models.Model):
    """An archive of what the studio stores of ``user``: waiting until ``finished_at``, then with a ``file`` or a ``problem``."""

    KEPT = timedelta(days=3)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="data_exports")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    file = models.CharField(max_length=200, blank=True, help_text="Its name in the storage of uploads.")
    size = models.BigIntegerField(default=0)
    problem = models.TextField(blank=True)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = "export of personal data"
        verbose_name_plural = "exports of personal data"

    def __str__(self) -> str:
        return f"Data of {self.user}"

    @property
    def expires_at(self) -> datetime | None:
        return self.finished_at + self.KEPT if self.finished_at else None

    @property
    def is_ready(self) -> bool:
        return bool(self.file) and self.expires_at is not None and self.expires_at > timezone.now()


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def expired(self) -> Self:
        """Older than AUDIT_DAYS; none if that is 0."""
        if not settings.AUDIT_DAYS:
            return self.none()
        return self.filter(at__lt=timezone.now() - timedelta(days=settings.AUDIT_DAYS))


class AuditEntry(models.Model):
    """Written by ``accounts.audit.record`` and never changed. ``user`` acted; whom it was done to is in ``details``."""

    at = models.DateTimeField("time", auto_now_add=True, db_index=True)
    action = models.CharField(max_length=30, choices=AuditAction)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="audit_entries"
    )
    username = models.CharField(max_length=150, blank=True, help_text="Kept when the user is deleted.")
    address = models.GenericIPAddressField(null=True, blank=True)
    details = models.JSONField(default=dict, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit log"
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("action", "-at")),)

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.username or 'unknown'}"

    @property
    def summary(self) -> str:
        """The details on one line."""
        return ", ".join(f"{name.replace('_', ' ')}: {text_of(value)}" for name, value in self.details.items())


def text_of(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
