"""Answers for those who have to wait, or to set up a second factor first."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from articles.exceptions import QuotaReached, StudioError
from articles.quotas.rates import count_request
from contentstudio.access.password_hashers import HashingBusy
from contentstudio.access.throttle import TooManyAttempts
from contentstudio.access.two_factor import lacks_second_factor

TO_WAIT = TooManyAttempts | QuotaReached | HashingBusy


class WaitPages:
    """Middleware: answers TooManyAttempts and QuotaReached (429), and HashingBusy (503), as a page, as text or as JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return wait_page(request, error) if isinstance(error, TO_WAIT) else None


def wait_page(request: HttpRequest, error: StudioError) -> HttpResponse:
    """HTMX gets a sentence, which the page shows as it is. Without JavaScript a form can be sent again from the answer."""
    if request.path.startswith("/api/") or not request.accepts("text/html"):
        response: HttpResponse = JsonResponse({"detail": str(error)}, status=error.status)
    elif getattr(request, "htmx", False):
        response = HttpResponse(str(error), "text/plain; charset=utf-8", status=error.status)
    else:
        is_quota = isinstance(error, QuotaReached)
        context = {"error": error, "is_quota": is_quota, "fields": sent_fields(request) if is_quota else []}
        response = render(request, "wait.html", context, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def sent_fields(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed into a form, so that it is not lost. Never passwords and codes, and documents cannot be kept."""
    names = request.POST.keys() - {"csrfmiddlewaretoken"}
    if request.method != "POST" or request.FILES or any("password" in name or "code" in name for name in names):
        return []
    return [(name, value) for name, values in request.POST.lists() if name in names for value in values]


def request_quota(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: counts forms that signed-in users submit. The API counts its requests itself, which may come with a key."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_form = request.method not in ("GET", "HEAD", "OPTIONS") and not request.path.startswith("/api/")
        if is_form and isinstance(request.user, User) and request.path != reverse("account_logout"):
            try:
                count_request(request.user)
            except QuotaReached as error:
                return wait_page(request, error)
        return get_response(request)

    return middleware


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
