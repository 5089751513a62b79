"""Typed requests of signed-in users, and access to articles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django_htmx.middleware import HtmxDetails

from articles.exceptions import QuotaReached, StudioError
from articles.models import Article


class StudioRequest(HttpRequest):
    """A request behind ``login_required`` and django-htmx's middleware."""

    user: User
    htmx: HtmxDetails


def find_article(request: StudioRequest, pk: int) -> Article:
    """The article, if the user may see it; else raises Http404."""
    return get_object_or_404(Article.objects.visible_to(request.user), pk=pk)


def editable_article(request: StudioRequest, pk: int, *, to: str = "change") -> Article:
    """The article, if the user may change (or ``to="delete"``) it: their own, or any with the permission.

    Raises Http404 if they may not see it, PermissionDenied if they may only see it.
    """
    article = find_article(request, pk)
    if not article.allows(request.user, to):
        raise PermissionDenied(f"This article belongs to someone else: you can read it, but not {to} it.")
    return article


def add_refusal(request: StudioRequest, form: forms.Form, error: StudioError) -> QuotaReached | None:
    """Show the error in the form, which keeps what was typed. Returns it if it is a quota's, for ``form_page``.

    HTMX leaves the page as it is for any error status: a quota's error is raised again, and the middleware answers.
    """
    quota = error if isinstance(error, QuotaReached) else None
    if quota and request.htmx:
        raise quota
    form.add_error(None, str(error))
    return quota


def form_page(
    request: StudioRequest, template: str, context: dict[str, Any], refused: QuotaReached | None
) -> HttpResponse:
    """The page of a form, with the status of a quota that refused it."""
    response = render(request, template, context, status=refused.status if refused else 200)
    if refused and refused.retry_after is not None:
        response["Retry-After"] = str(refused.retry_after)
    return response
