"""Authenticated requests, and finding the article they name."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery, Sum
from django.http import Http404, HttpRequest

from articles.exceptions import NotPermitted
from articles.models import Article, Revision, Step
from articles.models.article import ArticleQuerySet

ARTICLE_NOT_FOUND = "There is no such article, or you may not see it."
LONG_VOICE_FIELDS = ("voice__description", "voice__samples", "voice__prefer", "voice__avoid")


class AuthedRequest(HttpRequest):
    """A request with an API key or a session; Ninja sets ``auth``."""

    auth: User


def with_voices(articles: ArticleQuerySet) -> ArticleQuerySet:
    """Joins the voice, without its long fields."""
    return articles.select_related("voice").defer(*LONG_VOICE_FIELDS)


def with_totals(articles: ArticleQuerySet) -> ArticleQuerySet:
    """Adds ``latest_revision`` and ``total_cost`` in the same query."""
    revisions = Revision.objects.filter(article=OuterRef("pk")).order_by("-number").values("number")[:1]
    costs = Step.objects.filter(run__article=OuterRef("pk")).order_by().values("run__article").annotate(sum=Sum("cost"))
    return articles.annotate(latest_revision=Subquery(revisions), total_cost=Subquery(costs.values("sum")))


def find(request: AuthedRequest, article_id: int, *, bodies: bool = True) -> Article:
    """Raises the same Http404 for an article the user may not see as for one that does not exist."""
    articles = Article.objects.all() if bodies else Article.objects.without_large_fields()
    return find_in(with_voices(articles), request, article_id)


def find_in(articles: ArticleQuerySet, request: AuthedRequest, article_id: int) -> Article:
    """``find`` with the columns of ``articles``."""
    try:
        return articles.visible_to(request.auth).get(pk=article_id)
    except Article.DoesNotExist:
        raise Http404(ARTICLE_NOT_FOUND) from None


def find_own(request: AuthedRequest, article_id: int, *, to: str = "change") -> Article:
    """Also checks that the user may ``change`` or ``delete`` it. Raises Http404 and NotPermitted."""
    article = find(request, article_id)
    if not article.allows(request.auth, to):
        raise NotPermitted(f"This article belongs to another user: you may read it, but not {to} it.")
    return article
