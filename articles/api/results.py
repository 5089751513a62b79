"""The body of ``/result``. Each process keeps the latest ones: an SEO analysis costs more than the rest of the request."""

from __future__ import annotations

import time
from datetime import datetime
from functools import lru_cache

from django.http import Http404

from articles.api.requests import ARTICLE_NOT_FOUND, AuthedRequest, find_in
from articles.api.responses import JsonBody, fill, image_url, site_of
from articles.api.schemas.articles import ResultOut
from articles.api.schemas.evidence import TallyOut
from articles.api.schemas.seo import SeoOut
from articles.evidence.standing import current_text
from articles.evidence.stored import stored_references
from articles.exceptions import InvalidState
from articles.models import Article, Status
from articles.seo import SeoAnalysis

CACHED_BODIES = 32  # of about 60 KB for 1,000 words
MAX_AGE = 30.0
"""Seconds. Link suggestions and the author's name come from other rows, whose changes are not in the cache's key."""

VERSIONS = Article.objects.only("last_seq", "updated_at")


def result_body(request: AuthedRequest, article_id: int) -> JsonBody:
    """Raises Http404, and InvalidState while there is no finished text."""
    article = find_in(VERSIONS, request, article_id)
    period = time.monotonic() // MAX_AGE
    return cached_body(article.pk, article.last_seq, article.updated_at, site_of(request), period)


@lru_cache(maxsize=CACHED_BODIES)
def cached_body(article_id: int, last_seq: int, updated_at: datetime, site: str, period: float) -> JsonBody:
    """``last_seq``, ``updated_at`` and ``period`` are only part of the key. Not cached if it raises."""
    article = Article.objects.select_related("owner").filter(pk=article_id).first()
    if article is None:  # deleted since its version was read
        raise Http404(ARTICLE_NOT_FOUND)
    if not article.has_text:
        raise InvalidState(why_not_finished(article))
    evidence = TallyOut.of(current_text(article).summary)
    seo = SeoOut.of(SeoAnalysis(article, base_url=site))
    references = stored_references(article)
    return JsonBody.of(
        fill(
            ResultOut,
            article,
            image_url=image_url(site, article),
            references=references,
            evidence=evidence,
            seo_meta=seo,
        )
    )


def why_not_finished(article: Article) -> str:
    if article.status == Status.AWAITING_APPROVAL:
        return f"The outline of this article needs approval. POST to /api/articles/{article.pk}/approve."
    if article.is_active:
        state = f"{article.get_status_display().lower()}, {article.progress} %"
        return f"This article is not finished yet ({state}). Try again later, or follow /ws/articles/{article.pk}."
    retry = f"POST to /api/articles/{article.pk}/retry"
    if article.status == Status.FAILED:
        return f"This article failed: {article.message} {retry} to try again."
    if article.status == Status.PAUSED:
        return f"This article is paused. {article.message} {retry} to resume it."
    return f"This article was cancelled. {retry} to continue."
