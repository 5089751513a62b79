"""Sends forms to the article admin and reads its messages."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from articles.models import Article

LIST = "admin:articles_article_changelist"
PAGE = "admin:articles_article_change"


def act(browser: Client, action: str, *articles: Article, **more: str) -> Any:
    chosen = {"action": action, "_selected_action": [article.pk for article in articles], **more}
    return browser.post(reverse(LIST), chosen, follow=True)


def messages_on(response: Any) -> list[str]:
    """The messages on the page."""
    return [str(message) for message in response.context["messages"]]


def form_of(article: Article, **changes: object) -> dict[str, object]:
    """What the article's page sends back, as a browser does: with its own line ends."""
    inlines = {
        f"{prefix}-{name}": 0
        for prefix in ("runs", "revisions", "sources")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    newest = article.revisions.first()
    return {
        **inlines,
        "topic": article.topic,
        "tone": article.tone,
        "target_audience": article.target_audience,
        "language": article.language,
        "min_words": article.min_words,
        "writing": article.writing,
        "include_image": "on",
        "seo_optimize": "on",
        "allow_uncited": "on",
        "keywords": "",
        "notes": article.notes,
        "title": article.title,
        "content": article.content.replace("\n", "\r\n"),
        "opened_at": newest.number if newest else 0,
        **changes,
    }


def save(browser: Client, article: Article, **changes: object) -> Any:
    return browser.post(reverse(PAGE, args=[article.pk]), form_of(article, **changes), follow=True)
