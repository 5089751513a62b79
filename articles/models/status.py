"""The states of a run and of a step. An article shows its latest run's."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    PENDING = "pending", "Waiting"
    PROCESSING = "processing", "Writing"
    AWAITING_APPROVAL = "awaiting_approval", "Waiting for you"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE = (Status.PENDING, Status.PROCESSING, Status.AWAITING_APPROVAL)
"""A run that is under way, whether a worker is at it or a person is looked to. An article has one at most."""

ENDED = (Status.COMPLETED, Status.PAUSED, Status.FAILED, Status.CANCELLED)
"""Nothing happens any more by itself."""

RESUMABLE = (Status.PAUSED, Status.FAILED, Status.CANCELLED)
"""What can go on from its first step without an output."""


class StepStatus(models.TextChoices):
    STARTED = "started", "Started"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    SUPERSEDED = "superseded", "Superseded"
