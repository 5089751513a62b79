"""Requests of people who are signed in, and the one way to their articles."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django_htmx.middleware import HtmxDetails

from articles.models import Article


class StudioRequest(HttpRequest):
    """Behind ``login_required`` and django-htmx's middleware."""

    user: User
    htmx: HtmxDetails


def find_article(request: StudioRequest, pk: int) -> Article:
    """The article, where the user may see it; raises Http404 where not."""
    return get_object_or_404(Article.objects.visible_to(request.user), pk=pk)


def editable_article(request: StudioRequest, pk: int, *, to: str = "change") -> Article:
    """The article, where the user may also change (or ``to="delete"``) it: their own, or any for staff with the permission."""
    article = find_article(request, pk)
    if not article.allows(request.user, to):
        raise PermissionDenied(f"This article is somebody else's: you may read it, but not {to} it.")
    return article
