"""Answers for those who have to wait, or to set up a second factor first."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from articles.exceptions import StudioError
from contentstudio.access.password_hashers import HashingBusy
from contentstudio.access.throttle import TooManyAttempts
from contentstudio.access.two_factor import lacks_second_factor


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


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answers where django-allauth counts, which does not tell until when. Its windows are a minute, five for codes."""
    return wait_page(request, TooManyAttempts("requests", 60))


SET_UP = ("/account/security/", "/sign-in/", "/sign-out/", "/static/")
"""What stays open to those who must set up a second factor first."""
FIRST_SET_UP = "Set up a second factor before you go on."


def two_factor_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: sends users who need a second factor by REQUIRE_TWO_FACTOR, and have none, to the page where they add one.

    Staff need it for the administration.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not must_set_up(request):
            return get_response(request)
        if request.path.startswith("/api/"):
            return JsonResponse({"detail": FIRST_SET_UP}, status=403)
        if request.method == "GET":
            messages.warning(request, FIRST_SET_UP)
        return redirect("mfa_index")

    return middleware


def must_set_up(request: HttpRequest) -> bool:
    if request.path.startswith(SET_UP):
        return False
    return lacks_second_factor(request.user, request.session, administration=request.path.startswith("/admin/"))
