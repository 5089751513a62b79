"""The user's account: spending, and API keys, each shown once on the page that creates it."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from articles.forms.articles import ApiKeyForm
from articles.models import ApiKey
from articles.pages.spending import SpendingView
from articles.views.requests import StudioRequest


@require_safe
@login_required
@never_cache
def account(request: StudioRequest) -> HttpResponse:
    """The user's spending and limits, with links to what else belongs to the account."""
    return render(request, "articles/account.html", {"spending": SpendingView.of(request.user, request.user)})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
@never_cache
def api_keys(request: StudioRequest) -> HttpResponse:
    form, new_key = ApiKeyForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        _, new_key = ApiKey.objects.issue(
            request.user, chosen["name"], days=chosen["days"], read_only=chosen["read_only"]
        )
        form = ApiKeyForm()
    context = {"form": form, "new_key": new_key, "keys": request.user.api_keys.all()}
    return render(request, "articles/api_keys.html", context)


@require_POST
@login_required
def revoke_api_key(request: StudioRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(request.user.api_keys, pk=pk)
    if request.user.api_keys.filter(pk=pk).revoke():
        messages.success(request, f"“{key.name}” is revoked. It no longer works.")
    return redirect("api_keys")
