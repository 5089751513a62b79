"""Reads the article's page and the fragments that are swapped into it."""

from __future__ import annotations

import re

from articles.models import Article
from articles.pages import ArticleView
from articles.pages.fragments import fragments

TAG = re.compile(r"<(/?)(\w+)[^>]*>")


def since(article: Article, seq: int) -> str:
    """The fragments for what came after ``seq``."""
    article.refresh_from_db()
    return fragments(article, list(article.events.after(seq)))


def view_of(article: Article) -> ArticleView:
    return ArticleView(Article.objects.get(pk=article.pk))


def compact(html: str) -> str:
    return " ".join(html.split())


def roots(html: str) -> list[str]:
    """The ids fragments are swapped in at."""
    return re.findall(r'^<(?:div|section|header|details) id="([\w-]+)"[^>]*hx-swap-oob', html, re.MULTILINE)


def part(html: str, id: str) -> str:
    """The element with this id, whether it came with the page or to be swapped in."""
    start = html.index(f'id="{id}"')
    start, depth = html.rindex("<", 0, start), 0
    kind = TAG.match(html, start)[2]  # type: ignore[index]
    for tag in TAG.finditer(html, start):
        if tag[2] == kind:
            depth += -1 if tag[1] else 1
        if not depth:
            return html[start : tag.end()].replace(' hx-swap-oob="true"', "")
    raise AssertionError(f"{id} is not closed")
