"""Answers for those who have to wait."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from articles.exceptions import StudioError
from contentstudio.access.password_hashers import HashingBusy
from contentstudio.access.throttle import TooManyAttempts


class WaitPages:
    """Middleware: answers TooManyAttempts (429) and HashingBusy (503) with Retry-After, as a page or as JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return wait_page(request, error) if isinstance(error, TooManyAttempts | HashingBusy) else None


def wait_page(request: HttpRequest, error: StudioError) -> HttpResponse:
    if request.path.startswith("/api/") or not request.accepts("text/html"):
        response: HttpResponse = JsonResponse({"detail": str(error)}, status=error.status)
    else:
        response = render(request, "wait.html", {"error": error}, status=error.status)
    response["Retry-After"] = str(error.retry_after)
    return response
