"""The history of an article: runs, their steps, and the events that tell of them. Written by ``articles.runs.journal`` alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from agents.costs.usage import Usage
from articles.models.article import Article
from articles.models.status import ACTIVE, Status, StepStatus


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> Self:
        return self.filter(status__in=ACTIVE)

    def at_work(self) -> Self:
        """Runs a worker holds, or held when it died."""
        return self.filter(status=Status.PROCESSING)

    def waiting(self, now: datetime) -> Self:
        """Runs whose job was submitted so long ago that it is in the queue, has been taken up, or is lost."""
        return self.filter(status=Status.PENDING, enqueued_at__lt=now - timedelta(seconds=3))

    def claimable(self, now: datetime) -> Self:
        """Runs a worker may take up: those whose time has come, and whose model no other run is trying just now."""
        tried_now = Run.objects.filter(status=Status.PROCESSING).exclude(awaits="").values("awaits")
        due = Q(not_before=None) | Q(not_before__lte=now)
        return self.filter(due, status=Status.PENDING).exclude(awaits__in=tried_now)

    def awaiting(self, models: Collection[str]) -> Self:
        """Runs that wait for one of ``models`` to answer again, and those that try one."""
        return self.filter(awaits__in=models, status__in=(Status.PENDING, Status.PROCESSING))

    def parked(self, model: str) -> Self:
        return self.filter(awaits=model, status=Status.PENDING)

    def released(self) -> Self:
        """Runs whose model answers again, and still say that they wait for it."""
        return self.filter(status=Status.PENDING, awaits="", parked_since__isnull=False).exclude(reason="")


NOT_PARKED = {"awaits": "", "not_before": None, "parked_since": None, "parkings": 0}
"""The fields of a run that waits for no model."""


class Run(models.Model):
    """One attempt to make an article from its brief.

    A run in work is held by ``token`` until ``lease_expires_at``; whoever writes its history must hold the token.
    ``plan`` is how many steps each stage will have, as far as is known: ``{"research": 3, "write": 6, …}``.
    A pending run is parked while it ``awaits`` a model; ``articles.runs.outages`` tells how.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="runs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reason = models.TextField(blank=True, help_text="Why it failed, for a person who can act on it.")
    model = models.CharField(max_length=200, blank=True, help_text="Who wrote: a model, or the built-in writer.")
    plan = models.JSONField(default=dict, blank=True)
    agents = models.JSONField(
        null=True, blank=True, help_text="The agents as they were set up when it began; null before that."
    )
    outline_wish = models.TextField(blank=True, help_text="What another outline was to do otherwise.")

    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it up.")
    worker = models.CharField(max_length=200, blank=True)
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    awaits = models.CharField(max_length=200, blank=True, help_text="The model whose provider is away.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="No worker is called to it earlier.")
    parked_since = models.DateTimeField(null=True, blank=True)
    parkings = models.PositiveSmallIntegerField(default=0, help_text="How often it asked that model in vain.")

    created_at = models.DateTimeField(auto_now_add=True)
    enqueued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["status", "lease_expires_at"], name="run_by_lease"),)
        constraints = (
            models.UniqueConstraint(fields=["article"], condition=Q(status__in=ACTIVE), name="run_active_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="run_status_known"),
            models.CheckConstraint(
                condition=~Q(status=Status.PROCESSING) | Q(token__isnull=False, lease_expires_at__isnull=False),
                name="run_in_work_is_held",
            ),
            models.CheckConstraint(condition=~Q(status=Status.FAILED) | ~Q(reason=""), name="run_failed_says_why"),
        )

    def __str__(self) -> str:
        return f"Run {self.pk} of article {self.article_id}"

    @property
    def is_parked(self) -> bool:
        return self.status == Status.PENDING and bool(self.awaits)

    def progress(self) -> int:
        """Per cent of the planned steps that are done; 100 only once the run is completed."""
        if self.status == Status.COMPLETED:
            return 100
        planned = sum(self.plan.values())
        done = self.steps.done().count()
        return min(99, 100 * done // planned) if planned else 0


SUMMED_FIELDS = (
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost",
    "unpriced_calls",
)
"""Fields of a step that add up over its model calls; they have the same names in ``Usage``."""


class StepQuerySet(models.QuerySet["Step"]):
    def done(self) -> Self:
        return self.filter(status=StepStatus.COMPLETED)

    def current(self) -> Self:
        """Not those that another answer took the place of."""
        return self.exclude(status=StepStatus.SUPERSEDED)


class Step(models.Model):
    """A part of a stage that is done once. ``output`` is the JSON of its recipe's shape; tokens are summed over its calls."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=60, help_text="stage:rest, unique in its run.")
    status = models.CharField(max_length=20, choices=StepStatus, default=StepStatus.STARTED)
    message = models.TextField(blank=True)
    output = models.JSONField(null=True, blank=True)

    model_calls = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="US dollars, by the table of prices of its day."
    )
    unpriced_calls = models.PositiveIntegerField(default=0, help_text="Calls of models the table of prices lacks.")

    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ("started_at", "id")
        constraints = (
            models.UniqueConstraint(fields=["run", "key"], name="step_once"),
            models.CheckConstraint(condition=Q(status__in=StepStatus.values), name="step_status_known"),
            models.CheckConstraint(
                condition=~Q(status=StepStatus.COMPLETED) | Q(output__isnull=False), name="step_completed_has_output"
            ),
        )

    def __str__(self) -> str:
        return self.key

    @property
    def stage(self) -> str:
        return self.key.partition(":")[0]

    def add_usage(self, usage: Usage) -> None:
        """Add the cost of calls that were made for this step. The caller saves it."""
        self.model_calls += usage.calls
        for field in SUMMED_FIELDS:
            setattr(self, field, getattr(self, field) + getattr(usage, field))

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None


class EventQuerySet(models.QuerySet["Event"]):
    def after(self, seq: int) -> Self:
        return self.filter(seq__gt=seq).order_by("seq")


class Event(models.Model):
    """A fact in the past tense, append-only, numbered 1, 2, 3 … in its article.

    ``payload`` is what the socket tells besides ``type``, ``article_id``, ``seq``, ``timestamp`` and ``progress``.
    """

    class Type(models.TextChoices):
        AGENT_UPDATE = "agent_update"
        STATUS_CHANGE = "status_change"
        REVISION = "revision"

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="events")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, blank=True, related_name="events")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=20, choices=Type)
    payload = models.JSONField(default=dict)
    progress = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("article", "seq")
        constraints = (models.UniqueConstraint(fields=["article", "seq"], name="event_seq_once"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"

    def as_message(self) -> dict[str, object]:
        """The event as the API and the sockets tell it."""
        return {
            "type": self.type,
            "article_id": self.article_id,
            "seq": self.seq,
            "timestamp": self.created_at.isoformat().replace("+00:00", "Z"),
            "progress": self.progress,
            **self.payload,
        }
