"""RQ's own pages about queues, jobs and workers, under ``/admin/django_rq/``."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.views import shortcut
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard

INLINE = re.compile(r"<script[^>]*>\s*\(function.*?</script>|<style>.*?</style>|(?<=\w\" )style=\"[^\"]*\"", re.DOTALL)
"""The Content-Security-Policy forbids these parts of django-rq's pages. The script calls a function that Django has removed."""

View = Callable[..., HttpResponse]

admin.site.unregister(Dashboard)


def view_on_site(request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponse:
    """The admin's redirect to an object's page, which crashes for models without a table and for malformed UUIDs."""
    model = get_object_or_404(ContentType, pk=content_type_id).model_class()
    if model is None or not model._meta.managed:  # django-rq's
        raise Http404("There is no page for this object.")
    try:
        response: HttpResponse = admin.site.admin_view(shortcut)(request, content_type_id, object_id)
    except ValidationError as error:
        raise Http404("There is no such object.") from error
    return response


def without_inline_code(response: HttpResponse) -> HttpResponse:
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    if response.headers.get("Content-Type", "").startswith("text/html"):
        response.content = INLINE.sub("", response.content.decode()).encode()
    return response


@admin.register(Dashboard)
class QueuesAdmin(QueueAdmin):
    """django-rq lets all staff empty queues and stop jobs; here its permission is required."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("django_rq.admin")

    has_change_permission = has_view_permission

    def get_urls(self) -> list[URLPattern]:
        patterns: list[URLPattern] = super().get_urls()  # type: ignore[no-untyped-call]
        for pattern in patterns:
            pattern.callback = self.permitted(pattern.callback)
        return patterns

    def permitted(self, view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated and not self.has_view_permission(request):
                raise PermissionDenied
            return without_inline_code(view(request, *args, **kwargs))

        return checked
