"""The history of an article: its runs, their steps, and the events. Written by ``articles.runs`` and ``articles.services``."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Self, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from agents.contract import Stage
from agents.costs.usage import Usage
from agents.pipeline.steps import StepKey, StepKind
from articles.models.article import Article
from articles.models.status import ACTIVE, Status, StepStatus


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> Self:
        return self.filter(status__in=ACTIVE)

    def at_work(self) -> Self:
        """Runs that a worker holds, or held when it died."""
        return self.filter(status=Status.PROCESSING)

    def waiting(self) -> Self:
        """Pending runs whose job was submitted long enough ago to be in the queue, claimed, or lost.

        In the future is long ago, too: it was submitted by a machine whose clock is ahead.
        """
        submitted = Q(enqueued_at__lt=Now() - timedelta(seconds=3)) | Q(enqueued_at__gt=Now() + timedelta(minutes=1))
        return self.filter(submitted, status=Status.PENDING)

    def claimable(self) -> Self:
        """Pending runs of active users that are due, without those of a model that another run is trying at the moment."""
        being_tried = Run.objects.filter(status=Status.PROCESSING).exclude(awaited_model="").values("awaited_model")
        due = Q(not_before=None) | Q(not_before__lte=Now())
        return self.filter(due, status=Status.PENDING, article__owner__is_active=True).exclude(
            awaited_model__in=being_tried
        )

    def awaiting(self, models: Collection[str]) -> Self:
        """Runs that wait for one of ``models`` to be available again, and those that are trying one."""
        return self.filter(awaited_model__in=models, status__in=(Status.PENDING, Status.PROCESSING))

    def parked(self, model: str) -> Self:
        return self.filter(awaited_model=model, status=Status.PENDING)

    def resumed(self) -> Self:
        """Runs whose model is available again, but whose message still says that they wait for it."""
        return self.filter(status=Status.PENDING, awaited_model="", parked_since__isnull=False).exclude(reason="")


NOT_PARKED = {"awaited_model": "", "not_before": None, "parked_since": None, "failed_tries": 0}
"""The fields of a run that does not wait for a provider."""


class Run(models.Model):
    """One attempt to write an article from its brief.

    A run in progress is held by ``token`` until ``lease_expires_at``; only the holder of the token may write its history.
    ``plan`` is the expected number of steps of each stage: ``{"research": 3, "write": 6, …}``.
    A pending run with an ``awaited_model`` is parked; see ``articles.runs.outages``.
    ``failure_code`` is an ``agents.exceptions.FailureCode``. It is not a choice field: a new code needs no migration.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="runs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reason = models.TextField(
        blank=True, help_text="Why it failed, was paused or waits, for a person who can act on it."
    )
    failure_code = models.CharField(max_length=40, blank=True, help_text="The same for programs.")
    model = models.CharField(max_length=200, blank=True, help_text="Who wrote: a model, or the built-in writer.")
    plan = models.JSONField(default=dict, blank=True)
    agents = models.JSONField(
        null=True, blank=True, help_text="The agents as they were set up when it began; null before that."
    )
    outline_wish = models.TextField(blank=True, help_text="What the person asked to change in the outline.")

    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker claimed it.")
    worker = models.CharField(max_length=200, blank=True)
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    awaited_model = models.CharField(max_length=200, blank=True, help_text="The model whose provider is unavailable.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="No worker claims it earlier.")
    parked_since = models.DateTimeField(null=True, blank=True)
    failed_tries = models.PositiveSmallIntegerField(default=0, help_text="Failed tries of that model in this outage.")

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
            models.CheckConstraint(
                condition=~Q(status=Status.FAILED) | (~Q(reason="") & ~Q(failure_code="")), name="run_failed_says_why"
            ),
        )

    def __str__(self) -> str:
        return f"Run {self.pk} of article {self.article_id}"

    @property
    def is_parked(self) -> bool:
        return self.status == Status.PENDING and bool(self.awaited_model)

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
        """Without the steps of an outline that was replaced by another one."""
        return self.exclude(status=StepStatus.SUPERSEDED)

    def with_key(self, key: StepKey) -> Self:
        """The current step with this key; one at most in each run."""
        return self.current().filter(**key.columns())


class Step(models.Model):
    """A unit of work within a stage, done once.

    ``output`` is the JSON of its recipe's model, ``counts`` what the timeline shows of it, such as ``{"sections": 6}``.
    Tokens and cost are summed over its model calls.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    stage = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)
    section = models.PositiveSmallIntegerField(
        default=0, help_text="From 1; 0 is the whole article. The number of the question for “find”."
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=20, choices=StepStatus, default=StepStatus.STARTED)
    message = models.TextField(blank=True)
    output = models.JSONField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)

    model_calls = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="US dollars, by the price table of its day."
    )
    unpriced_calls = models.PositiveIntegerField(default=0, help_text="Calls of models without a price.")

    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = StepQuerySet.as_manager()

    class Meta:
        ordering = ("started_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["run", "stage", "kind", "section", "attempt"],
                condition=~Q(status=StepStatus.SUPERSEDED),
                name="step_once",
            ),
            models.CheckConstraint(condition=Q(status__in=StepStatus.values), name="step_status_known"),
            models.CheckConstraint(
                condition=~Q(status=StepStatus.COMPLETED) | Q(output__isnull=False), name="step_completed_has_output"
            ),
        )

    def __str__(self) -> str:
        return str(self.key)

    @property
    def key(self) -> StepKey:
        return StepKey(cast(Stage, self.stage), cast(StepKind, self.kind), self.section, self.attempt)

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None

    def add_usage(self, usage: Usage) -> None:
        """Add the cost of calls that were made for this step. The caller saves it."""
        self.model_calls += usage.calls
        for field in SUMMED_FIELDS:
            setattr(self, field, getattr(self, field) + getattr(usage, field))


class EventQuerySet(models.QuerySet["Event"]):
    def after(self, seq: int) -> Self:
        return self.filter(seq__gt=seq).order_by("seq")


class Event(models.Model):
    """An append-only fact, numbered 1, 2, 3 … within its article.

    ``payload`` is what a message has besides ``type``, ``article_id``, ``seq``, ``timestamp`` and ``progress``.
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
        """The event as the API and the sockets send it."""
        return {
            "type": self.type,
            "article_id": self.article_id,
            "seq": self.seq,
            "timestamp": self.created_at.isoformat().replace("+00:00", "Z"),
            "progress": self.progress,
            **self.payload,
        }
