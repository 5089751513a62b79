"""The evidence check of a run: one row for each citing sentence, with the verdict on it."""

from __future__ import annotations

from django.db import models

from articles.models.run import Run


class Evidence(models.Model):
    """``sentence`` is plain text without marks; ``passages`` are the ids it cites, of passages in the run's research."""

    class Verdict(models.TextChoices):
        SUPPORTED = "supported", "Supported"
        PARTLY = "partly", "Partly supported"
        NOT = "not", "Not supported"

    class Judge(models.TextChoices):
        CODE = "code", "compared word for word"
        MODEL = "model", "judged by the model"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="evidence")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … in the order of the text.")
    section = models.PositiveSmallIntegerField()
    sentence = models.TextField()
    was = models.TextField(blank=True, help_text="The sentence before it was reworded.")
    passages = models.JSONField(default=list)
    verdict = models.CharField(max_length=10, choices=Verdict)
    judged_by = models.CharField(max_length=10, choices=Judge)
    reason = models.TextField(blank=True)
    key = models.CharField(max_length=64, blank=True, help_text="Identifies sentence and passages by their texts.")

    class Meta:
        ordering = ("number",)
        verbose_name_plural = "evidence"
        constraints = (
            models.UniqueConstraint(fields=["run", "number"], name="evidence_numbered_once"),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["supported", "partly", "not"]), name="evidence_verdict_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_verdict_display()}: {self.sentence[:60]}"
