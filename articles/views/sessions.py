"""Signing in again over a page whose session ended, and requests with an outdated form token."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.csrf import csrf_failure as csrf_failure_page
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from articles.views.requests import StudioRequest
from contentstudio.access.password_hashers import HashingBusy
from contentstudio.access.throttle import TooManyAttempts

FORM_EXPIRED = "Studio-Form-Expired"
"""Header of a refused HTMX request whose form token is outdated. The page gets a new one and sends the request again."""


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in_again(request: StudioRequest) -> HttpResponse:
    """The form of the sign-in dialog, for the user the page belongs to.

    Once they are signed in, also in another tab, the answer is the event ``studio:signed-in`` with a new form token.
    """
    username = request.POST.get("username", "") or request.GET.get("username", "")
    form, problem = AuthenticationForm(request, request.POST or None, initial={"username": username}), ""
    try:
        if request.method == "POST" and form.is_valid():
            login(request, form.get_user())
    except (TooManyAttempts, HashingBusy) as error:  # a page of its own would not fit into the dialog
        problem = str(error)
    if not request.user.is_authenticated or request.user.get_username() != username:
        return render(request, "_sign_in_form.html", {"form": form, "username": username, "problem": problem})
    response = HttpResponse(status=204)
    return trigger_client_event(response, "studio:signed-in", {"token": get_token(request)})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's page for a refused form, marked for HTMX."""
    response = csrf_failure_page(request, reason=reason)
    if request.htmx:  # type: ignore[attr-defined]
        response[FORM_EXPIRED] = "true"
    return response
