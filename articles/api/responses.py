"""Builds response bodies from rows, and names the errors that endpoints declare."""

from __future__ import annotations

from typing import Any, TypeVar

from django.urls import reverse
from pydantic import BaseModel

from articles.api.requests import AuthedRequest
from articles.api.schemas.articles import ArticleOut, Links, ListedOut, Problem, StatusOut
from articles.costs.reports import article_totals
from articles.models import Article

Shape = TypeVar("Shape", bound=BaseModel)

INVALID = {401: Problem, 422: Problem}
NOT_FOUND = {401: Problem, 404: Problem}
CONFLICT = {**NOT_FOUND, 409: Problem}
OWN = {**NOT_FOUND, 403: Problem}
OWN_CONFLICT = {**OWN, 409: Problem}


def fill(shape: type[Shape], row: Any, **computed: Any) -> Shape:
    """``shape`` from the attributes of ``row`` with the same names, and from ``computed``."""
    return shape(**{name: getattr(row, name) for name in shape.model_fields if name not in computed}, **computed)


def status_out(article: Article) -> StatusOut:
    return fill(StatusOut, article, progress_percentage=article.progress)


def listed_out(request: AuthedRequest, article: Article) -> ListedOut:
    return fill(ListedOut, article, progress_percentage=article.progress, image_url=image_url(request, article))


def article_out(request: AuthedRequest, article: Article) -> ArticleOut:
    return fill(
        ArticleOut,
        article,
        progress_percentage=article.progress,
        image_url=image_url(request, article),
        revision=article.revisions.values_list("number", flat=True).first() or 0,
        cost=float(article_totals(article.pk).cost),
        links=links(request, article),
    )


def links(request: AuthedRequest, article: Article) -> Links:
    site = site_of(request)
    self = site + reverse("api:article_get", args=[article.pk])
    return Links(
        page=site + article.get_absolute_url(),
        status=f"{self}/status",
        result=f"{self}/result",
        events=f"{self}/events",
        socket=f"{site.replace('http', 'ws', 1)}/ws/articles/{article.pk}",
    )


def site_of(request: AuthedRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def image_url(request: AuthedRequest, article: Article) -> str | None:
    return request.build_absolute_uri(article.image_url) if article.image else None
