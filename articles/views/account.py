"""The user's account: spending, and API keys, each shown once on the page that creates it."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from articles.exceptions import QuotaReached
from articles.forms.articles import ApiKeyForm
from articles.pages.spending import SpendingView
from articles.quotas.totals import issue_key
from articles.quotas.usage import usage_of
from articles.views.requests import StudioRequest, add_refusal, form_page


@require_safe
@login_required
@never_cache
def account(request: StudioRequest) -> HttpResponse:
    """The user's spending, quotas and limits, with links to what else belongs to the account."""
    context = {"spending": SpendingView.of(request.user, request.user), "usage": usage_of(request.user)}
    return render(request, "articles/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
@never_cache
def api_keys(request: StudioRequest) -> HttpResponse:
    form, new_key, refused = ApiKeyForm(request.POST or None), "", None
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        limits = {"days": chosen["days"], "read_only": chosen["read_only"]}
        try:
            _, new_key = issue_key(request.user, chosen["name"], **limits)
        except QuotaReached as error:
            refused = add_refusal(request, form, error)
        else:
            form = ApiKeyForm()
    context = {"form": form, "new_key": new_key, "keys": request.user.api_keys.all()}
    return form_page(request, "articles/api_keys.html", context, refused)


@require_POST
@login_required
def revoke_api_key(request: StudioRequest, pk: int) -> HttpResponse:
    key = get_object_or_404(request.user.api_keys, pk=pk)
    if request.user.api_keys.filter(pk=pk).revoke():
        messages.success(request, f"“{key.name}” is revoked. It no longer works.")
    return redirect("api_keys")
