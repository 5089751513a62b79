"""The history of an article: runs, their steps, and the events that tell of them. Written by ``articles.journal`` alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from agents.contract import AGENTS, Stage
from articles.models.article import Article
from articles.models.status import ACTIVE, Status, StepStatus


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> Self:
        return self.filter(status__in=ACTIVE)

    def let_go(self, now: datetime) -> Self:
        """Runs in work whose lease ran out: their worker died, or was cut off."""
        return self.filter(status=Status.PROCESSING, lease_expires_at__lt=now)

    def forgotten(self, now: datetime) -> Self:
        """Runs that wait longer than a queue in order lets them be silent: their job may be lost."""
        return self.filter(status=Status.PENDING, enqueued_at__lt=now - timedelta(seconds=60))


class Run(models.Model):
    """One attempt to make an article from its brief.

    A run in work is held by ``token`` until ``lease_expires_at``; whoever writes its history must hold the token.
    ``plan`` is how many steps each stage will have, as far as is known: ``{"research": 3, "write": 6, …}``.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="runs")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    reason = models.TextField(blank=True, help_text="Why it failed, for a person who can act on it.")
    model = models.CharField(max_length=200, blank=True, help_text="Who wrote: a model, or the built-in writer.")
    plan = models.JSONField(default=dict, blank=True)

    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it up.")
    worker = models.CharField(max_length=200, blank=True)
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

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

    def progress(self) -> int:
        """Per cent of the planned steps that are done; 100 only once the run is completed."""
        if self.status == Status.COMPLETED:
            return 100
        planned = sum(self.plan.values())
        done = self.steps.done().count()
        return min(99, 100 * done // planned) if planned else 0

    def stages(self) -> list[StageView]:
        """The six stages as a person is told of them, whether they have begun or not."""
        steps = list(self.steps.all())
        return [StageView.of(stage, self, [step for step in steps if step.stage == stage]) for stage in AGENTS]


class StepQuerySet(models.QuerySet["Step"]):
    def done(self) -> Self:
        return self.filter(status=StepStatus.COMPLETED)


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


@dataclass(frozen=True)
class StageView:
    """A stage of a run as the timeline shows it. ``status`` is waiting, working, completed, failed or skipped."""

    stage: Stage
    agent: str
    status: str
    message: str
    done: int
    planned: int
    started_at: datetime | None
    seconds: float | None

    @classmethod
    def of(cls, stage: Stage, run: Run, steps: list[Step]) -> StageView:
        planned = max(run.plan.get(stage, 0), len(steps))
        done = sum(step.status == StepStatus.COMPLETED for step in steps)
        status = cls._status(run, steps, done, planned)
        begun = min((step.started_at for step in steps), default=None)
        ended = max((step.finished_at for step in steps if step.finished_at), default=None)
        latest = max(steps, key=lambda step: step.finished_at or step.started_at, default=None)
        return cls(
            stage=stage,
            agent=AGENTS[stage],
            status=status,
            message=cls._message(stage, status, done) or (latest.message if latest else ""),
            done=done,
            planned=planned,
            started_at=begun,
            seconds=(ended - begun).total_seconds() if begun and ended and status != "working" else None,
        )

    @staticmethod
    def _message(stage: Stage, status: str, done: int) -> str:
        """What a stage of many steps is told by; empty where its latest step tells more."""
        if status != "completed" or done < 2:
            return ""
        if stage == "write":
            return f"{done} sections"
        mended = "1 section" if done == 2 else f"{done - 1} sections"
        return f"{mended} mended" if stage == "edit" else ""

    @staticmethod
    def _status(run: Run, steps: list[Step], done: int, planned: int) -> str:
        if any(step.status == StepStatus.FAILED for step in steps):
            return "failed"
        if steps and all(step.status == StepStatus.SKIPPED for step in steps):
            return "skipped"
        if steps and done == planned:
            return "completed"
        if run.status == Status.PROCESSING and steps:
            return "working"
        return "stopped" if steps else "waiting"
