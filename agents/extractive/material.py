"""The quotable sentences of the passages that were read, without near-duplicates, and their relevance."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from agents.contract import Brief, Passage
from agents.extractive.sentences import is_quotable, read
from agents.extractive.terms import Vector, rarity, similarity, terms, vector
from agents.text.tokenizer import count_plain_words

_DUPLICATE_SIMILARITY = 0.7  # Jaccard index of the terms of two sentences


@dataclass(frozen=True)
class Quote:
    """A sentence of a passage, and the heading above it in the source, which may be empty."""

    text: str
    passage: str
    source: int
    heading: str
    words: int
    terms: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Material:
    """All quotable sentences, in the order of the passages and their sentences."""

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
    """The quotes of ``passages``. Of near-duplicates the first one is kept."""
    return _gather(tuple((passage.id, passage.source, passage.text) for passage in passages), language)


def relevance(brief: Brief, material: Material, *further: str) -> dict[Quote, float]:
    """Relevance of each quote to the topic and to the sources as a whole. Only the order of the values matters."""
    asked = material.vector(" ".join([brief.topic, *brief.keywords, *further]))
    centre = material.vector_of(material.quotes)
    weights = {}
    for quote in material.quotes:
        own = material.vector_of([quote])
        weights[quote] = 2 * similarity(asked, own) + similarity(centre, own)
    return weights


@lru_cache(maxsize=4)  # every section of an article needs the same
def _gather(passages: tuple[tuple[str, int, str], ...], language: str) -> Material:
    quotes: list[Quote] = []
    sharing: dict[str, list[int]] = defaultdict(list)
    last_headings: dict[int, str] = {}
    for id, source, text in passages:
        for heading, sentence in read(text, last_headings.get(source, "")):
            last_headings[source] = heading
            if not is_quotable(sentence):
                continue
            quote = Quote(sentence, id, source, heading, count_plain_words(sentence), tuple(terms(sentence, language)))
            if not _is_duplicate(quote, quotes, sharing):
                for term in set(quote.terms):
                    sharing[term].append(len(quotes))
                quotes.append(quote)
    return Material(tuple(quotes), rarity(quote.terms for quote in quotes), language)


def _is_duplicate(quote: Quote, quotes: list[Quote], sharing: dict[str, list[int]]) -> bool:
    own = set(quote.terms)
    shared: dict[int, int] = defaultdict(int)
    for term in own:
        for index in sharing[term]:
            shared[index] += 1
    return any(
        count >= _DUPLICATE_SIMILARITY * len(own | set(quotes[index].terms))
        and _numbers(quotes[index]) == _numbers(quote)
        for index, count in shared.items()
    )


def _numbers(quote: Quote) -> list[str]:
    """The numbers of a sentence: two sentences that differ only in these are not duplicates."""
    return re.findall(r"\d+", quote.text)
