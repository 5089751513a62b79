"""An article as structured data for search engines: schema.org in JSON-LD."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from agents.contract import DRAWN_BY_STUDIO, SEO, Reference
from agents.text.seo import Range, truncate
from articles.evidence.stored import parse_valid
from articles.models import Article
from articles.seo.stored import seo_of

CONTEXT = "https://schema.org"
TRAINED_MEDIA, ALGORITHMIC_MEDIA = "TrainedAlgorithmicMediaDigitalSource", "AlgorithmicMediaDigitalSource"
HEADLINE = Range(1, 110)
"""Characters of a headline, by Google's guide to Article."""

# Only these could end a script element or start a comment in it; the last two end a line in older JavaScript.
_UNSAFE = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def json_ld(article: Article, *, base_url: str = "", page: str = "") -> dict[str, Any]:
    """A schema.org ``Article``; with a FAQ, a ``@graph`` of it and a ``FAQPage``.

    ``base_url`` is the site, such as ``https://example.org``; ``page`` the article's full address, if it is not its page
    there. Without a site, what needs a full address is left out.
    """
    seo = seo_of(article)
    data = _article(article, seo, base_url, page)
    if seo is None or not seo.faq:
        return {"@context": CONTEXT, **data}
    return {"@context": CONTEXT, "@graph": [data, _faq_page(seo, article.language)]}


def script_safe(data: dict[str, Any]) -> str:
    """``data`` as JSON that cannot end a script element."""
    return json.dumps(data, ensure_ascii=False, indent=2).translate(_UNSAFE)


def byline(owner: User) -> str:
    """The full name, or the publisher: user names such as “admin” mean nothing to readers."""
    return owner.get_full_name() or str(settings.PUBLISHER)


def _article(article: Article, seo: SEO | None, base_url: str, page: str) -> dict[str, Any]:
    address = page or full_address(article, base_url)
    author_type = "Person" if article.owner.get_full_name() else "Organization"
    data = {
        "@type": "Article",
        "headline": truncate(str(article), HEADLINE),
        "alternativeHeadline": seo.title if seo and seo.title != str(article) else "",
        "description": seo.meta_description if seo else "",
        "image": [_image(article, address) for address in image_urls(article, base_url)],
        "datePublished": (article.completed_at or article.created_at).isoformat(),
        "dateModified": article.updated_at.isoformat(),
        "author": {"@type": author_type, "name": byline(article.owner)},
        "publisher": {"@type": "Organization", "name": settings.PUBLISHER},
        "mainEntityOfPage": {"@type": "WebPage", "@id": address} if address else {},
        "inLanguage": article.language,
        "keywords": seo.keywords if seo else [],
        "wordCount": article.word_count,
        "citation": [_citation(reference) for reference in parse_valid(article.references, Reference)],
    }
    return {name: value for name, value in data.items() if value}


def full_address(article: Article, base_url: str) -> str:
    return base_url + article.get_absolute_url() if base_url else ""


def image_urls(article: Article, base_url: str) -> list[str]:
    """Full addresses, the image for social previews first."""
    if not base_url:
        return []
    return list(dict.fromkeys(base_url + file.url for file in (article.share_image, article.image) if file))


def _image(article: Article, address: str) -> dict[str, str]:
    """With the IPTC digital source type, by which search engines and readers see that an image is AI's."""
    image = {"@type": "ImageObject", "url": address, "caption": article.image_alt}
    if article.image_drawn_by:
        by_model = article.image_drawn_by != DRAWN_BY_STUDIO
        image["digitalSourceType"] = f"{CONTEXT}/{TRAINED_MEDIA if by_model else ALGORITHMIC_MEDIA}"
    return {name: value for name, value in image.items() if value}


def _citation(reference: Reference) -> dict[str, str]:
    work = {"@type": "CreativeWork", "name": reference.title}
    return work | ({"url": reference.url} if reference.url.startswith(("https://", "http://")) else {})


def _faq_page(seo: SEO, language: str) -> dict[str, Any]:
    return {
        "@type": "FAQPage",
        "inLanguage": language,
        "mainEntity": [
            {"@type": "Question", "name": item.question, "acceptedAnswer": {"@type": "Answer", "text": item.answer}}
            for item in seo.faq
        ],
    }
