"""Costs: spending limits of users, and what each user's articles cost by month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from agents.costs.prices import dollars
from articles.costs.limits import month_spent_by
from articles.costs.reports import cost_subquery, totals_by_month
from articles.models import SpendingLimit


def with_costs(rows: QuerySet[Any], owning: str) -> QuerySet[Any]:
    """Annotates ``spent`` for ``CostColumn``; ``owning`` is the path from a step to the row (``run``, ``run__article``)."""
    priced: QuerySet[Any] = rows.annotate(spent=cost_subquery(owning))
    return priced


class CostColumn:
    """The column of rows annotated by ``with_costs``."""

    @admin.display(description="Cost", ordering="spent")
    def cost(self, row: Any) -> str:
        return dollars(row.spent or Decimal(0))


@admin.register(SpendingLimit)
class SpendingLimitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    list_display = ("user", "run_limit", "month_limit", "spent_this_month")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fieldsets = (
        (
            None,
            {
                "fields": ("user", "per_run", "per_month"),
                "description": (
                    "US dollars. 0 means no limit. Leave empty to use MAX_COST_PER_RUN and MAX_COST_PER_MONTH from the"
                    " settings. A run that would exceed its limit is paused, and can be resumed after the limit is raised."
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        limits: QuerySet[Any] = super().get_queryset(request).annotate(month_spent=month_spent_by("user"))
        return limits

    def get_readonly_fields(self, request: HttpRequest, obj: SpendingLimit | None = None) -> Any:
        return ("user",) if obj else ()

    def get_urls(self) -> list[URLPattern]:
        months = path("months/", self.admin_site.admin_view(self.months), name="articles_spendinglimit_months")
        return [months, *super().get_urls()]

    def months(self, request: HttpRequest) -> HttpResponse:
        """Costs of all users by month, for superusers only."""
        if not request.user.is_superuser:
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Costs by month",
            "opts": self.opts,
            "months": totals_by_month(),
        }
        return TemplateResponse(request, "admin/articles/costs_by_month.html", context)

    @admin.display(description="Per run", ordering="per_run")
    def run_limit(self, limit: SpendingLimit) -> str:
        return limit_text(limit.per_run)

    @admin.display(description="Per month", ordering="per_month")
    def month_limit(self, limit: SpendingLimit) -> str:
        return limit_text(limit.per_month)

    @admin.display(description="Spent this month", ordering="month_spent")
    def spent_this_month(self, limit: Any) -> str:
        return dollars(limit.month_spent or Decimal(0))


def limit_text(amount: Decimal | None) -> str:
    if amount is None:
        return "default"
    return dollars(amount) if amount else "none"
