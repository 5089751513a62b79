"""The SEO metadata that is stored with an article."""

from __future__ import annotations

from agents.contract import SEO
from articles.evidence.stored import parse_or_none
from articles.models import Article


def seo_of(article: Article) -> SEO | None:
    """The article's SEO metadata, or None."""
    return parse_or_none(article.seo_meta, SEO) if article.seo_meta else None
