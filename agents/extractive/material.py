"""The quotable sentences of what was read, without near-duplicates, and how well they match a text (BM25)."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, pairwise

from agents.contract import Brief, Passage
from agents.extractive.sentences import is_quotable, read
from agents.text import ranking
from agents.text.keyword_match import STEM_LETTERS
from agents.text.tokenizer import count_plain_words

PARAGRAPH_SENTENCES = 4
DUPLICATE_SHARE = 0.7  # of terms in common
CENTRAL_TERMS = 30
"""The most frequent terms of the sources stand for what they are about."""


@dataclass(frozen=True)
class Quote:
    """A sentence of a passage, and the heading above it in the source, which may be empty."""

    text: str
    passage: str
    source: int
    heading: str

    @cached_property
    def words(self) -> int:
        return count_plain_words(self.text)


class Material:
    """All quotable sentences, in the order of the passages.

    ``paragraphs`` has the number of the paragraph of each, ``relevance`` how much each says about the topic, 0 to 1.
    """

    def __init__(self, quotes: Sequence[Quote], topic: str, language: str) -> None:
        import bm25s  # takes 0.3 s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # importing it turns its debug log on
        self.quotes, self.language = quotes, language
        self.paragraphs = [number for number, each in enumerate(in_paragraphs(quotes)) for _ in each]
        documents = [terms(quote.text, language) for quote in quotes]
        self._index = bm25s.BM25()
        self._index.index(documents if any(documents) else [[""]], show_progress=False)
        central = Counter(term for document in documents for term in document).most_common(CENTRAL_TERMS)
        pairs = zip(self._scores(terms(topic, language)), self._scores(term for term, _ in central), strict=True)
        self.relevance = [(2 * asked + common) / 3 for asked, common in pairs]

    def ranked(self) -> list[Quote]:
        """The quotes, the most relevant ones first."""
        return [self.quotes[at] for at in sorted(range(len(self.quotes)), key=lambda at: -self.relevance[at])]

    def matches(self, text: str) -> list[float]:
        """How well the paragraph of each quote matches ``text``, 0 to 1."""
        return self.by_paragraph(self._scores(terms(text, self.language)))

    def by_paragraph(self, scores: Iterable[float]) -> list[float]:
        """The mean score of the paragraph of each quote, lower for short ones: sentences that stand alone read worse."""
        sums, sizes = dict.fromkeys(self.paragraphs, 0.0), Counter(self.paragraphs)
        for paragraph, score in zip(self.paragraphs, scores, strict=True):
            sums[paragraph] += score
        return [sums[paragraph] / (sizes[paragraph] + 1) for paragraph in self.paragraphs]

    def _scores(self, query: Iterable[str]) -> list[float]:
        known = [term for term in dict.fromkeys(query) if term in self._index.vocab_dict]
        scores: list[float] = self._index.get_scores(known).tolist() if known else [0.0] * len(self.quotes)
        best = max(scores, default=0.0) or 1.0
        return [score / best for score in scores]


def terms(text: str, language: str) -> list[str]:
    """Index terms cut to so many letters that the forms of a word are one."""
    return [term[:STEM_LETTERS] for term in ranking.terms(text, language)]


def in_paragraphs(quotes: Sequence[Quote]) -> Iterator[Sequence[Quote]]:
    """``quotes`` in paragraphs of three to five sentences if possible, each from one passage and below one heading."""
    for _, group in groupby(quotes, key=lambda quote: (quote.passage, quote.heading)):
        together = list(group)
        parts = max(1, round(len(together) / PARAGRAPH_SENTENCES))
        bounds = [len(together) * part // parts for part in range(parts + 1)]
        yield from (together[start:end] for start, end in pairwise(bounds))


def gather(brief: Brief, passages: Sequence[Passage]) -> Material:
    """The quotes of ``passages``. Of near-duplicates the first one is kept."""
    topic = " ".join([brief.topic, *brief.keywords])
    return _gather(tuple((passage.id, passage.source, passage.text) for passage in passages), topic, brief.language)


@lru_cache(maxsize=4)  # every section of an article needs the same
def _gather(passages: tuple[tuple[str, int, str], ...], topic: str, language: str) -> Material:
    quotes: list[Quote] = []
    headings: dict[int, str] = {}
    for id, source, text in passages:
        for heading, sentence in read(text, headings.get(source, "")):
            headings[source] = heading
            if is_quotable(sentence):
                quotes.append(Quote(sentence, id, source, heading))
    return Material(list(_without_near_duplicates(quotes, language)), topic, language)


def _without_near_duplicates(quotes: Iterable[Quote], language: str) -> Iterator[Quote]:
    """A sentence is compared with those that begin or end alike; two that differ in a number are not duplicates."""
    alike: defaultdict[tuple[str, ...], list[set[str]]] = defaultdict(list)
    for quote in quotes:
        found = terms(quote.text, language)
        own, ends = set(found), {tuple(found[:3]), tuple(found[-3:])}
        if not any(_is_same(own, other) for end in ends for other in alike[end]):
            yield quote
            for end in ends:
                alike[end].append(own)


def _is_same(one: set[str], other: set[str]) -> bool:
    return len(one & other) >= DUPLICATE_SHARE * len(one | other) and not any(map(str.isdecimal, one ^ other))
