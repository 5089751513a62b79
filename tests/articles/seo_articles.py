"""Finished articles for SEO tests, saved as runs and as people save them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from articles.models import Article
from articles.services import save_text
from tests.factories import make_completed_article

SEO: dict[str, Any] = {
    "title": "Rooftop gardens: what the evidence says",
    "meta_description": "How much cooler rooftop gardens are in summer, what a bed weighs when it is wet, and what to ask an"
    " engineer before the first of them is built.",
    "slug": "rooftop-gardens-evidence",
    "keywords": ["rooftop garden", "green roof", "urban heat"],
    "faq": [],
}
BODY = " ".join(["The beds of the city grow well where somebody waters them every week."] * 8)
TEXT = "\n\n".join(
    ["A rooftop garden cools the house below it.[^1]"]
    + [f"## {heading}\n\n{BODY}" for heading in ("Why a rooftop garden", "Choosing a site", "What it costs")]
    + ["[^1]: City roofs surveyed. <https://example.org/roofs>"]
)


def finished(owner: User, content: str = TEXT, **fields: Any) -> Article:
    """With SEO metadata and an image; ``fields`` are set on the row unchanged."""
    article = make_completed_article(owner, min_words=300)
    rewrite(article, content)
    described = {
        "seo_meta": SEO,
        "image": "covers/1/a.png",
        "image_alt": "Beds on a roof",
        "share_image": "covers/1/b.png",
    }
    Article.objects.filter(pk=article.pk).update(**described | fields)
    article.refresh_from_db()
    return article


def rewrite(article: Article, content: str) -> None:
    newest = article.revisions.values_list("number", flat=True).first() or 0
    save_text(article=article, by=article.owner, title=article.title, content=content, opened_at=newest)
