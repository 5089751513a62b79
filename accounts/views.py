"""Signing in again over a page whose session ended, the list of sessions, and an unreachable provider."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

from allauth.account.stages import LoginStage, LoginStageController
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.stages import AuthenticateStage
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event
from requests import RequestException

from accounts.audit import record
from accounts.forms import SignInForm
from accounts.models import AuditAction
from articles.views.requests import StudioRequest
from contentstudio.access.password_hashers import HashingBusy
from contentstudio.access.throttle import TooManyAttempts

log = logging.getLogger(__name__)


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in_again(request: StudioRequest) -> HttpResponse:
    """The form of the sign-in dialog, for the user the page belongs to: the password, then the code of a second factor.

    Once they are signed in, also in another tab, the answer is the event ``studio:signed-in`` with a new form token.
    """
    username = request.POST.get("username", "") or request.GET.get("username", "")
    template, form, problem = "_sign_in_form.html", SignInForm(request.POST or None, request=request), ""
    try:
        if stage := second_factor_of(request, username):
            template, form = "_sign_in_code_form.html", code_form(request, stage)
        elif request.method == "POST" and form.is_valid():
            form.login(request)
            if stage := second_factor_of(request, username):
                template, form = "_sign_in_code_form.html", AuthenticateForm(user=stage.login.user)
    except (TooManyAttempts, HashingBusy) as error:  # a page of its own would not fit into the dialog
        problem = str(error)
    if not request.user.is_authenticated or request.user.get_username() != username:
        return render(request, template, {"form": form, "username": username, "problem": problem})
    response = HttpResponse(status=204)
    return trigger_client_event(response, "studio:signed-in", {"token": get_token(request)})


def second_factor_of(request: HttpRequest, username: str) -> LoginStage | None:
    """The stage of a sign-in of this user that waits for the second factor."""
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    is_theirs = stage is not None and stage.login.user is not None and stage.login.user.get_username() == username
    return stage if is_theirs else None


def code_form(request: HttpRequest, stage: LoginStage) -> AuthenticateForm:
    """Completes the sign-in if the code is right."""
    form = AuthenticateForm(request.POST if "code" in request.POST else None, user=stage.login.user)
    if form.is_valid():
        form.save()
        stage.exit()
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def sessions(request: StudioRequest) -> HttpResponse:
    """The browsers in which the user is signed in. One of them, or all but this one, can be signed out."""
    found = sorted(UserSession.objects.purge_and_list(request.user), key=lambda session: session.created_at)
    if request.method == "POST":
        wanted = request.POST.get("session", "")
        chosen = [session for session in found if not session.is_current() and wanted in ("", str(session.pk))]
        end_sessions(request, chosen)
        if chosen:
            record(AuditAction.SESSION_ENDED, count=len(chosen))
            messages.success(request, "Signed out in the other browser." if wanted else "Signed out everywhere else.")
        return redirect("usersessions_list")
    return render(request, "accounts/sessions.html", {"sessions": found})


def no_own_password(request: HttpRequest) -> HttpResponse:
    """For users who sign in elsewhere. A password here would outlive their account there."""
    raise PermissionDenied(f"You sign in with {settings.OIDC_NAME}: your password is changed there, not here.")


def provider_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that asks the OpenID Connect provider. While it does not answer, a page says so (503)."""

    @wraps(view)
    def answer(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except RequestException as error:
            log.warning("The OpenID Connect provider does not answer: %s", error)
            return render(request, "socialaccount/authentication_error.html", status=503)

    return answer
