"""Response headers that Django does not set, and the traces of requests."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bind_contextvars, get_contextvars

from agents.tracing import conventions as names
from agents.tracing import is_enabled, span

PERMISSIONS = ", ".join(f"{feature}=()" for feature in ("camera", "geolocation", "microphone", "payment", "usb"))


def private_responses(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Forbids browsers and proxies to store a response that does not say otherwise, as static files and images do.

    It also withdraws browser features that no page uses.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response

    return middleware


QUIET = {"/api/health", "/metrics"}
"""Paths that monitors ask for every few seconds."""

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def traced_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A span for each request, except for QUIET ones. BEHIND_PROXY, it continues the proxy's trace.

    The span has the pattern of the address, not the address: links for new passwords and search terms are private.
    """
    if not is_enabled():
        raise MiddlewareNotUsed

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path in QUIET:
            return get_response(request)
        parent = request.headers.get("traceparent", "") if settings.BEHIND_PROXY else ""
        method = request.method if request.method in METHODS else "_OTHER"
        attributes = {names.HTTP_METHOD: method, names.REQUEST_ID: get_contextvars().get("request_id")}
        with span(method or "_OTHER", "SERVER", attributes, parent=parent) as current:
            bind_contextvars(trace_id=current.trace_id)
            response = get_response(request)
            if request.resolver_match:
                route = f"/{request.resolver_match.route}"
                current.rename(f"{method} {route}")
                current.set({names.HTTP_ROUTE: route})
            current.set({names.HTTP_STATUS: response.status_code})
            if response.status_code >= 500:
                current.fail(str(response.status_code))
        return response

    return middleware
