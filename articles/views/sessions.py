"""Requests with an outdated form token."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure as csrf_failure_page

FORM_EXPIRED = "Studio-Form-Expired"
"""Header of a refused HTMX request whose form token is outdated. The page gets a new one and sends the request again."""


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's page for a refused form, marked for HTMX."""
    response = csrf_failure_page(request, reason=reason)
    if request.htmx:  # type: ignore[attr-defined]
        response[FORM_EXPIRED] = "true"
    return response
