"""Queue and worker figures for administrators."""

from __future__ import annotations

from django import template

from articles.operations.health import Health, check_health

register = template.Library()


@register.inclusion_tag("admin/articles/_work.html")
def work() -> dict[str, Health]:
    return {"health": check_health()}
