"""Quotas of single users, beside what they use."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.html import format_html_join

from articles.models import Quota
from articles.quotas.kinds import KINDS
from articles.quotas.usage import usage_of


def usage_list(user: User) -> str:
    return format_html_join("\n", "<div>{}: {}</div>", ((item.label, str(item)) for item in usage_of(user)))


@admin.register(Quota)
class QuotaAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django's cannot be subscripted at run time
    list_display = ("user", *(kind.field for kind in KINDS))
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fieldsets = (
        (
            None,
            {
                "fields": ("user", *(kind.field for kind in KINDS), "usage"),
                "description": "Leave empty to use the value of the settings. 0 means no limit.",
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Quota | None = None) -> Any:
        return ("user", "usage") if obj else ("usage",)

    @admin.display(description="Used", empty_value="–")
    def usage(self, quota: Quota) -> str | None:
        return usage_list(quota.user) if quota.pk else None
