"""Typed requests of signed-in users, and access to articles."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django_htmx.middleware import HtmxDetails

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
