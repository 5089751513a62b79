"""What there is to quote: the usable sentences of the passages that were read, weighed, none of them twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from agents.contract import Brief, Passage
from agents.extractive.sentences import is_quotable, read
from agents.extractive.terms import Vector, likeness, rarity, terms, vector
from agents.text.tokenizer import count_plain_words

# Two sentences that share this much of their terms say the same: Jaccard, |A ∩ B| / |A ∪ B|.
_SAME = 0.7


@dataclass(frozen=True)
class Quote:
    """A sentence of a passage as it will be quoted. ``words`` are counted as a reader counts them.

    ``heading`` is the source's own above it, or empty.
    """

    text: str
    passage: str
    heading: str
    words: int
    terms: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Material:
    """All that may be quoted, in the order of the passages and of their sentences."""

    quotes: tuple[Quote, ...]
    rarities: Vector = field(repr=False)
    language: str

    @property
    def words(self) -> int:
        return sum(quote.words for quote in self.quotes)

    def by_passage(self) -> dict[str, list[Quote]]:
        found: dict[str, list[Quote]] = defaultdict(list)
        for quote in self.quotes:
            found[quote.passage].append(quote)
        return dict(found)

    def vector(self, text: str) -> Vector:
        return vector(terms(text, self.language), self.rarities)

    def vector_of(self, quotes: Sequence[Quote]) -> Vector:
        return vector((term for quote in quotes for term in quote.terms), self.rarities)


def gather(passages: Sequence[Passage], language: str) -> Material:
    """The material ``passages`` hold. Nearly the same sentence in two sources is kept where it was read first."""
    return _gather(tuple((passage.id, passage.source, passage.text) for passage in passages), language)


def relevance(brief: Brief, material: Material, *further: str) -> dict[Quote, float]:
    """How much each quote says of the topic and of what all the sources speak of. Higher is better; only to be compared."""
    asked = material.vector(" ".join([brief.topic, *brief.keywords, *further]))
    centre = material.vector_of(material.quotes)
    weights = {}
    for quote in material.quotes:
        own = material.vector_of([quote])
        weights[quote] = 2 * likeness(asked, own) + likeness(centre, own)
    return weights


@lru_cache(maxsize=4)  # every section of an article asks for the same
def _gather(passages: tuple[tuple[str, int, str], ...], language: str) -> Material:
    quotes: list[Quote] = []
    sharing: dict[str, list[int]] = defaultdict(list)
    last_headings: dict[int, str] = {}
    for id, source, text in passages:
        for heading, sentence in read(text, language, last_headings.get(source, "")):
            last_headings[source] = heading
            if not is_quotable(sentence):
                continue
            quote = Quote(sentence, id, heading, count_plain_words(sentence), tuple(terms(sentence, language)))
            if not _is_known(quote, quotes, sharing):
                for term in set(quote.terms):
                    sharing[term].append(len(quotes))
                quotes.append(quote)
    return Material(tuple(quotes), rarity(quote.terms for quote in quotes), language)


def _is_known(quote: Quote, quotes: list[Quote], sharing: dict[str, list[int]]) -> bool:
    own = set(quote.terms)
    shared: dict[int, int] = defaultdict(int)
    for term in own:
        for index in sharing[term]:
            shared[index] += 1
    return any(
        count >= _SAME * len(own | set(quotes[index].terms)) and _numbers(quotes[index]) == _numbers(quote)
        for index, count in shared.items()
    )


def _numbers(quote: Quote) -> list[str]:
    """The figures a sentence gives: two that differ in nothing else do not say the same."""
    return re.findall(r"\d+", quote.text)
