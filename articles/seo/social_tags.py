"""The card that links to an article: Open Graph's tags, and X's, which fall back on them."""

from __future__ import annotations

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from articles.models import Article
from articles.seo.stored import seo_of
from articles.seo.structured_data import full_address, pictures

SHARE_WIDTH, SHARE_HEIGHT = 1200, 630

Tags = list[tuple[str, str]]


def open_graph(article: Article, *, base_url: str = "", page: str = "") -> Tags:
    """Names and contents of meta elements. What needs a full address is left out where there is no ``base_url``.

    ``page`` is the article's full address where it is not the studio's own at ``base_url``.
    """
    seo = seo_of(article)
    picture = next(iter(pictures(article, base_url)), "")
    tags = [
        ("og:type", "article"),
        ("og:title", seo.title if seo else str(article)),
        ("og:description", seo.meta_description if seo else ""),
        ("og:url", page or full_address(article, base_url)),
        ("og:locale", locale(article.language)),
        *(_picture_tags(article, picture) if picture else ()),
        ("article:published_time", (article.completed_at or article.created_at).isoformat()),
        ("article:modified_time", article.updated_at.isoformat()),
        *(("article:tag", keyword) for keyword in (seo.keywords if seo else ())),
        ("twitter:card", "summary_large_image" if picture else "summary"),
    ]
    return [(name, content) for name, content in tags if content]


def _picture_tags(article: Article, address: str) -> Tags:
    size = [("og:image:width", str(SHARE_WIDTH)), ("og:image:height", str(SHARE_HEIGHT))]
    return [("og:image", address), *(size if article.share_image else ()), ("og:image:alt", article.image_alt)]


def locale(language: str) -> str:
    """``en_GB`` of ``en-GB``; empty where the tag names no region: which one is meant is not ours to guess."""
    name, *further = language.split("-")
    region = next((part for part in further if len(part) == 2 and part.isalpha()), "")
    return f"{name.lower()}_{region.upper()}" if region else ""


def meta_tags(tags: Tags) -> SafeString:
    """The tags as HTML, a line each. X's are message by ``name``, Open Graph's by ``property``."""
    rows = (("name" if name.startswith("twitter:") else "property", name, content) for name, content in tags)
    return format_html_join("\n", '<meta {}="{}" content="{}">', rows)
