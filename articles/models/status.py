"""The statuses of runs and steps. An article has the status of its latest run, or is completed by ``keep_text``."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    PENDING = "pending", "Waiting"
    PROCESSING = "processing", "Writing"
    AWAITING_APPROVAL = "awaiting_approval", "Needs approval"
    PAUSED = "paused", "Paused"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE = (Status.PENDING, Status.PROCESSING, Status.AWAITING_APPROVAL)
"""Runs in progress, with a worker or waiting for one or for a person. An article has at most one."""

ENDED = (Status.COMPLETED, Status.PAUSED, Status.FAILED, Status.CANCELLED)
"""Nothing happens until a person acts."""

RESUMABLE = (Status.PAUSED, Status.FAILED, Status.CANCELLED)
"""Can continue from the first step without an output."""


class StepStatus(models.TextChoices):
    STARTED = "started", "Started"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"
    SUPERSEDED = "superseded", "Superseded"
