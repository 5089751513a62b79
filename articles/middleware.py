"""Middleware for HTMX, which follows redirects unseen and swaps the page they lead to into a part of another."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url


def htmx_redirects(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware after django-htmx's: replaces redirects of HTMX requests with what the page can act on.

    A redirect to the sign-in page becomes 401: the page then asks to sign in and keeps what was typed. Any other redirect
    becomes an ``HX-Redirect`` header, with which the browser loads that page.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.htmx and 300 <= response.status_code < 400 and "Location" in response:  # type: ignore[attr-defined]
            location = response["Location"]
            del response["Location"]
            if urlsplit(location).path == urlsplit(resolve_url(settings.LOGIN_URL)).path:
                return HttpResponse(status=401)
            response.status_code = 200
            response["HX-Redirect"] = location
        return response

    return middleware
