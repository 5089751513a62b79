"""Settings of the six agents that override the defaults of ``agents/config/agents.yaml``."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from agents.contract import AGENTS, AgentConfig

FEWEST_TOKENS = 200
"""A lower limit would cut off even the shortest answers."""


class AgentProfileQuerySet(models.QuerySet["AgentProfile"]):
    def complete(self) -> None:
        """Create the missing rows, one for each agent."""
        missing = AGENTS.keys() - set(self.values_list("stage", flat=True))
        rows = [AgentProfile(stage=stage) for stage in AGENTS if stage in missing]
        self.bulk_create(rows, ignore_conflicts=True)

    def reset(self) -> int:
        """Reset these agents to the defaults. Returns how many there were."""
        return self.update(**AgentConfig().model_dump(), updated_at=timezone.now())


class AgentProfile(models.Model):
    """Empty fields, and agents without a row, have the defaults."""

    stage = models.CharField(
        max_length=20, unique=True, choices=[(stage, name) for stage, name in AGENTS.items()], verbose_name="agent"
    )
    role = models.CharField(max_length=200, blank=True)
    goal = models.TextField(max_length=1_000, blank=True)
    backstory = models.TextField(max_length=5_000, blank=True)
    model = models.CharField(max_length=200, blank=True, help_text="Empty: the one the settings name.")
    temperature = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text="0 to 2. Empty: the model's own.",
    )
    max_tokens = models.PositiveIntegerField(
        "max tokens per answer",
        null=True,
        blank=True,
        validators=[MinValueValidator(FEWEST_TOKENS)],
        help_text=f"At least {FEWEST_TOKENS}. Empty: the model's own limit.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentProfileQuerySet.as_manager()

    class Meta:
        verbose_name = "agent"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.get_stage_display()

    @property
    def is_changed(self) -> bool:
        return self.as_contract() != AgentConfig()

    def as_contract(self) -> AgentConfig:
        return AgentConfig(**{name: getattr(self, name) for name in AgentConfig.model_fields})
