"""Spending limits of users, and what their articles have cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Now

from articles.models.run import Run
from articles.models.status import Status


class SpendingLimit(models.Model):
    """A user's own limits, in US dollars, in place of ``MAX_COST_PER_RUN`` and ``MAX_COST_PER_MONTH``; empty keeps those."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="spending_limit")
    per_run = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    per_month = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )

    class Meta:
        verbose_name = "spending limit"
        verbose_name_plural = "spending limits"

    def __str__(self) -> str:
        return f"Spending limit of {self.user}"


class SpendingQuerySet(models.QuerySet["Spending"]):
    def of_month(self, user: User, month: date) -> Self:
        """``month`` is its first day."""
        return self.filter(user=user, month=month)

    def totals(self) -> tuple[Decimal, Decimal]:
        """US dollars, to six places: what was spent, and what is reserved for calls in flight.

        What a worker set aside counts as long as it holds its run, so nothing has to be given back for one that died.
        """
        held = Run.objects.filter(status=Status.PROCESSING, lease_expires_at__gt=Now())
        in_flight = Sum("reserved", filter=Q(token__in=held.values("token")))
        sums = self.aggregate(spent=Sum("spent"), in_flight=in_flight)
        return round(Decimal(sums["spent"] or 0), 6), round(Decimal(sums["in_flight"] or 0), 6)


class Spending(models.Model):
    """What one worker spent on a run, in US dollars, counted call by call. Kept when the article is deleted.

    ``month`` is the first day of the one in which the worker took the run up, and ``token`` what it held the run by. No other
    writes the row, so it is written whole.
    """

    token = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="spending")
    month = models.DateField()
    spent = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    reserved = models.DecimalField(max_digits=12, decimal_places=6, default=0, help_text="For its calls in flight.")

    objects = SpendingQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "spending"
        indexes = (models.Index(fields=["user", "month"], name="spending_of_month"),)

    def __str__(self) -> str:
        return f"Spending of {self.user} in {self.month:%B %Y}"
