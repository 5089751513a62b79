"""Suggests links from an article to the owner's other finished articles, with the words to link from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from agents.text.keyword_match import WORD, without_plural_s
from agents.text.seo import SMALL_WORDS
from articles.models import Article
from articles.seo.parsed_article import Paragraph, ParsedArticle
from articles.seo.phrases import phrase

MAX_SUGGESTIONS = 5
MAX_ARTICLES = 100
"""Only the newest finished articles are considered: more would slow the page down."""

MAX_ANCHOR_WORDS = 4


@dataclass(frozen=True)
class LinkSuggestion:
    """A link to ``article`` from ``anchor_text``, which is in the text at ``place`` and not linked yet."""

    article: Article
    anchor_text: str
    place: str
    why: str


@dataclass(frozen=True)
class Anchor:
    """A phrase that another article is about, as :func:`phrase` gives it, and why it may link there."""

    phrase: str
    weight: float
    why: str


def suggest_links(parsed: ParsedArticle) -> list[LinkSuggestion]:
    """Articles that share the rarest phrases with this one come first. No two suggestions use the same words."""
    matching = {
        other: [anchor for anchor in anchors(other) if parsed.contains_phrase(anchor.phrase)]
        for other in other_articles(parsed.article)
    }
    articles_with = Counter(anchor.phrase for found in matching.values() for anchor in found)

    def weight(anchor: Anchor) -> float:
        return anchor.weight * math.log(1 + len(matching) / articles_with[anchor.phrase])

    used, suggestions = {phrase(parsed.primary_keyword)}, list[LinkSuggestion]()
    for other in sorted(matching, key=lambda other: -sum(map(weight, matching[other]))):
        if len(suggestions) == MAX_SUGGESTIONS:
            break
        for anchor in sorted(matching[other], key=lambda anchor: -weight(anchor)):
            if anchor.phrase not in used and (found := find_unlinked(parsed, anchor)):
                paragraph, words = found
                used.add(anchor.phrase)
                suggestions.append(LinkSuggestion(other, words, paragraph.place, anchor.why))
                break
    return suggestions


def other_articles(article: Article) -> Iterable[Article]:
    """The owner's newest finished articles in this language, without their texts; annotated with their ``seo_keywords``."""
    found = Article.objects.with_text().filter(
        owner=article.owner_id, language__startswith=article.language.partition("-")[0]
    )
    newest = found.exclude(pk=article.pk).order_by("-completed_at", "-pk")
    return newest.only("title", "topic").annotate(seo_keywords=F("seo_meta__keywords"))[:MAX_ARTICLES]


def anchors(other: Article) -> Iterator[Anchor]:
    """The keywords of ``other``, the primary one with more weight, and phrases of its title."""
    stored: Any = getattr(other, "seo_keywords", None)
    keywords = [keyword for keyword in stored if isinstance(keyword, str)] if isinstance(stored, list) else []
    seen = set()
    for index, keyword in enumerate(keywords):
        if (found := phrase(keyword)) and found not in seen:
            seen.add(found)
            weight = len(found.split()) * (1.5 if index == 0 else 1.0)
            yield Anchor(found, weight, f"“{keyword}” is one of its keywords")
    for found in title_phrases(str(other)):
        if found not in seen:
            seen.add(found)
            yield Anchor(found, len(found.split()) * 0.8, "These words are in its title")


def title_phrases(title: str) -> Iterator[str]:
    """Phrases of two to four adjacent words that neither begin nor end with a small word, the longest first."""
    words = phrase(title).split()
    for length in range(MAX_ANCHOR_WORDS, 1, -1):
        for start in range(len(words) - length + 1):
            found = words[start : start + length]
            if not any(len(end) < 3 or end in SMALL_WORDS for end in (found[0], found[-1])):
                yield f" {'  '.join(found)} "


def find_unlinked(parsed: ParsedArticle, anchor: Anchor) -> tuple[Paragraph, str] | None:
    """The first occurrence of ``anchor`` that is not linked: its paragraph, and the words as they are written there."""
    wanted = anchor.phrase.split()
    for paragraph in parsed.paragraphs:
        if anchor.phrase not in paragraph.searchable:
            continue
        matches = list(WORD.finditer(paragraph.text))
        forms = [without_plural_s(match[0].casefold()) for match in matches]
        for start in range(len(forms) - len(wanted) + 1):
            if forms[start : start + len(wanted)] != wanted:
                continue
            written = paragraph.text[matches[start].start() : matches[start + len(wanted) - 1].end()]
            if not any(written in linked for linked in paragraph.linked):
                return paragraph, written
    return None
