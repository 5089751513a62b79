"""Open Graph tags for social previews. X uses them too if it has no tags of its own for them."""

from __future__ import annotations

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from articles.models import Article
from articles.seo.stored import seo_of
from articles.seo.structured_data import full_address, image_urls

SHARE_WIDTH, SHARE_HEIGHT = 1200, 630

Tags = list[tuple[str, str]]


def open_graph(article: Article, *, base_url: str = "", page: str = "") -> Tags:
    """Names and contents of meta elements. Without ``base_url``, those that need a full address are left out.

    ``page`` is the article's full address, if it is not its page at ``base_url``.
    """
    seo = seo_of(article)
    image = next(iter(image_urls(article, base_url)), "")
    tags = [
        ("og:type", "article"),
        ("og:title", seo.title if seo else str(article)),
        ("og:description", seo.meta_description if seo else ""),
        ("og:url", page or full_address(article, base_url)),
        ("og:locale", locale(article.language)),
        *(_image_tags(article, image) if image else ()),
        ("article:published_time", (article.completed_at or article.created_at).isoformat()),
        ("article:modified_time", article.updated_at.isoformat()),
        *(("article:tag", keyword) for keyword in (seo.keywords if seo else ())),
        ("twitter:card", "summary_large_image" if image else "summary"),
    ]
    return [(name, content) for name, content in tags if content]


def _image_tags(article: Article, address: str) -> Tags:
    size = [("og:image:width", str(SHARE_WIDTH)), ("og:image:height", str(SHARE_HEIGHT))]
    return [("og:image", address), *(size if article.share_image else ()), ("og:image:alt", article.image_alt)]


def locale(language: str) -> str:
    """``en_GB`` for ``en-GB``; empty if the tag names no region, which cannot be guessed."""
    name, *further = language.split("-")
    region = next((part for part in further if len(part) == 2 and part.isalpha()), "")
    return f"{name.lower()}_{region.upper()}" if region else ""


def meta_tags(tags: Tags) -> SafeString:
    """The tags as HTML, one per line. X's use the attribute ``name``, Open Graph's ``property``."""
    rows = (("name" if name.startswith("twitter:") else "property", name, content) for name, content in tags)
    return format_html_join("\n", '<meta {}="{}" content="{}">', rows)
