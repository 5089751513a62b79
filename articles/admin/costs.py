"""Costs: the ceilings of users, and what each user's articles cost month by month."""

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
from articles.costs.limits import spent_this_month
from articles.costs.reports import cost_of_each, spent_by_month
from articles.models import SpendingLimit


def with_costs(rows: QuerySet[Any], owning: str) -> QuerySet[Any]:
    """Each row with what it cost, for ``CostColumn``; ``owning`` is a step's key to it (``run``, ``run__article``)."""
    priced: QuerySet[Any] = rows.annotate(spent=cost_of_each(owning))
    return priced


class CostColumn:
    """For rows of ``with_costs``."""

    @admin.display(description="Cost", ordering="spent")
    def cost(self, row: Any) -> str:
        return dollars(row.spent or Decimal(0))


@admin.register(SpendingLimit)
class SpendingLimitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    list_display = ("user", "run_ceiling", "month_ceiling", "this_month")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fieldsets = (
        (
            None,
            {
                "fields": ("user", "per_run", "per_month"),
                "description": (
                    "US dollars. 0 is no ceiling; left empty, MAX_COST_PER_RUN and MAX_COST_PER_MONTH of the settings hold."
                    " A run that would pass one is paused, and can be resumed once it is raised."
                ),
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: SpendingLimit | None = None) -> Any:
        return ("user",) if obj else ()

    def get_urls(self) -> list[URLPattern]:
        months = path("months/", self.admin_site.admin_view(self.months), name="articles_spendinglimit_months")
        return [months, *super().get_urls()]

    def months(self, request: HttpRequest) -> HttpResponse:
        """What was spent by whom, for superusers: it tells of everybody's work."""
        if not request.user.is_superuser:
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Costs by month",
            "opts": self.opts,
            "months": spent_by_month(),
        }
        return TemplateResponse(request, "admin/articles/costs_by_month.html", context)

    @admin.display(description="A run", ordering="per_run")
    def run_ceiling(self, ceiling: SpendingLimit) -> str:
        return told(ceiling.per_run)

    @admin.display(description="A month", ordering="per_month")
    def month_ceiling(self, ceiling: SpendingLimit) -> str:
        return told(ceiling.per_month)

    @admin.display(description="Spent this month")
    def this_month(self, ceiling: SpendingLimit) -> str:
        return dollars(spent_this_month(ceiling.user))


def told(ceiling: Decimal | None) -> str:
    if ceiling is None:
        return "as in the settings"
    return dollars(ceiling) if ceiling else "none"
