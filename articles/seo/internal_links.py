"""Which of a person's other finished articles this one could link to, and at which of its own words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import F

from agents.text.keyword_match import WORD, without_plural_s
from agents.text.seo import SMALL_WORDS
from articles.models import Article, Status
from articles.seo.parsed_article import Paragraph, ParsedArticle
from articles.seo.phrases import phrase

MOST_SUGGESTIONS = 5
MOST_READ = 100
"""The newest finished articles that are looked at: more would be felt when the page is opened."""

LONGEST_ANCHOR = 4  # words of a title that are looked for together


@dataclass(frozen=True)
class LinkSuggestion:
    """A link to ``article`` from ``anchor_text``, which stands in the text at ``place`` and is no link yet."""

    article: Article
    anchor_text: str
    place: str
    why: str


@dataclass(frozen=True)
class Anchor:
    """A phrase another article is about, as it is looked for, and why it may lead there."""

    phrase: str
    weight: float
    why: str


def suggest_links(parsed: ParsedArticle) -> list[LinkSuggestion]:
    """At most five, the articles that share the rarest phrases with this one first; no two from the same words."""
    matching = {
        other: [anchor for anchor in anchors(other) if parsed.speaks(anchor.phrase)] for other in others(parsed)
    }
    spread = Counter(anchor.phrase for found in matching.values() for anchor in found)

    def weight(anchor: Anchor) -> float:
        return anchor.weight * math.log(1 + len(matching) / spread[anchor.phrase])

    ranked = sorted(matching, key=lambda other: -sum(map(weight, matching[other])))
    taken, suggestions = {phrase(parsed.primary_keyword)}, list[LinkSuggestion]()
    for other in ranked:
        if len(suggestions) == MOST_SUGGESTIONS:
            break
        best = sorted(matching[other], key=lambda anchor: -weight(anchor))
        found = (found for anchor in best if anchor.phrase not in taken for found in places(parsed, anchor))
        for anchor, paragraph, words in islice(found, 1):
            taken.add(anchor.phrase)
            suggestions.append(LinkSuggestion(other, words, paragraph.place, anchor.why))
    return suggestions


def others(parsed: ParsedArticle) -> Iterable[Article]:
    """The owner's other finished articles in this language, without their texts; ``named`` are their keywords."""
    article = parsed.article
    found = Article.objects.filter(
        owner=article.owner_id, status=Status.COMPLETED, language__startswith=article.language.partition("-")[0]
    )
    newest = found.exclude(pk=article.pk).order_by("-completed_at", "-pk")
    return newest.only("title", "topic").annotate(named=F("seo_meta__keywords"))[:MOST_READ]


def anchors(other: Article) -> Iterator[Anchor]:
    """The phrases ``other`` is about: its keywords, the first counting most, and stretches of its title."""
    named: Any = getattr(other, "named", None)
    keywords = [keyword for keyword in named if isinstance(keyword, str)] if isinstance(named, list) else []
    seen = set()
    for place, keyword in enumerate(keywords):
        if (looked_for := phrase(keyword)) and looked_for not in seen:
            seen.add(looked_for)
            yield Anchor(looked_for, size(looked_for) * (1.5 if place == 0 else 1.0), f"“{keyword}” is a keyword of it")
    for stretch in stretches(str(other)):
        if stretch not in seen:
            seen.add(stretch)
            yield Anchor(stretch, size(stretch) * 0.8, "These words stand in its title")


def stretches(title: str) -> Iterator[str]:
    """Two to four neighbouring words of a title, as they are looked for, that neither begin nor end with a small one."""
    words = phrase(title).split()
    for length in range(LONGEST_ANCHOR, 1, -1):
        for start in range(len(words) - length + 1):
            stretch = words[start : start + length]
            if not any(len(end) < 3 or end in SMALL_WORDS for end in (stretch[0], stretch[-1])):
                yield f" {'  '.join(stretch)} "


def size(looked_for: str) -> int:
    return len(looked_for.split())


def places(parsed: ParsedArticle, anchor: Anchor) -> Iterator[tuple[Anchor, Paragraph, str]]:
    """Where the words of ``anchor`` stand and are no link, as they are written there."""
    wanted = anchor.phrase.split()
    for paragraph in parsed.paragraphs:
        if anchor.phrase not in paragraph.searchable:
            continue
        words = [
            (without_plural_s(word[0].casefold()), word.start(), word.end()) for word in WORD.finditer(paragraph.text)
        ]
        for start in range(len(words) - len(wanted) + 1):
            stretch = words[start : start + len(wanted)]
            written = paragraph.text[stretch[0][1] : stretch[-1][2]]
            if [word for word, _, _ in stretch] == wanted and not any(written in linked for linked in paragraph.linked):
                yield anchor, paragraph, written
