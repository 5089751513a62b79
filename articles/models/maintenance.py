"""What the database says about the studio itself: the version of its tables, and its backups. One row each."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone


class SchemaVersion(models.Model):
    """The version that applied the newest migrations, and the oldest one whose processes can use the tables since.

    A process that finds migrations it does not know reads here whether it may run.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.CharField(max_length=40)
    oldest_compatible = models.CharField(max_length=40)
    migrated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = (models.CheckConstraint(condition=Q(id=1), name="one_schema_version"),)

    def __str__(self) -> str:
        return self.version


class BackupStateQuerySet(models.QuerySet["BackupState"]):
    def due(self, every: timedelta) -> Self:
        """The row, if a backup is due and no machine makes one."""
        now = timezone.now()
        old = Q(succeeded_at=None) | Q(succeeded_at__lte=now - every)
        return self.filter(old, Q(not_before=None) | Q(not_before__lte=now))


class BackupState(models.Model):
    """The last backup that succeeded, the last scheduled one that failed, and the claim on the next.

    Machines claim by a conditional UPDATE of ``not_before``, so that one of them makes the scheduled backup.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    not_before = models.DateTimeField(null=True, blank=True, help_text="No scheduled backup begins before.")
    succeeded_at = models.DateTimeField(null=True, blank=True)
    file = models.TextField(blank=True, default="")
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes.")
    machine = models.CharField(max_length=255, blank=True, default="")
    failed_at = models.DateTimeField(null=True, blank=True, help_text="Empty once a backup has succeeded.")
    error = models.TextField(blank=True, default="")

    objects = BackupStateQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = (models.CheckConstraint(condition=Q(id=1), name="one_backup_state"),)

    def __str__(self) -> str:
        return f"Backup of {self.succeeded_at:%Y-%m-%d %H:%M} UTC" if self.succeeded_at else "No backup"
