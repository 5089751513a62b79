"""Picking the passages that answer a set of questions (BM25)."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Container, Sequence
from functools import cache, lru_cache
from typing import Any

from agents.contract import Passage
from agents.text.tokenizer import CJK, IDEOGRAPH, LETTERS, UNSPACED

TERM = re.compile(f"[{CJK}]+|[{UNSPACED}]+|{LETTERS}")
_UNSPACED = re.compile(f"[{UNSPACED}]")


def preload() -> None:
    _stopwords()
    _bm25()


@cache
def _stopwords() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN_PLUS

    asking = ("how", "what", "when", "where", "which", "who", "why", "does", "do", "did", "can", "should", "main")
    return frozenset(STOPWORDS_EN_PLUS).union(asking)


@cache
def _bm25() -> Any:
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # importing it turns its debugging on
    return bm25s


def terms(text: str) -> list[str]:
    """What a text is found by: its words without the commonest English ones, without a plural's s.

    Chinese and Japanese, written without spaces, are found by every pair of neighbouring characters; Thai, Lao, Burmese and
    Khmer, whose characters say less each, by every three.
    """
    found = []
    for word in TERM.findall(text.casefold()):
        if size := _size_of_grams(word):
            found += [word[at : at + size] for at in range(max(1, len(word) - size + 1))]
        elif word not in _stopwords():
            found.append(word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word)
    return found


def _size_of_grams(word: str) -> int:
    """How many characters of ``word`` make a term; 0 where it is one as a whole."""
    if word.isascii():
        return 0
    return 2 if IDEOGRAPH.match(word) else 3 if _UNSPACED.match(word) else 0


def rank(
    passages: Sequence[Passage], queries: Sequence[str], limit: int, per_source: int, without: Container[str] = ()
) -> list[Passage]:
    """At most ``limit`` passages, and ``per_source`` of each source, best first; none whose id is in ``without``.

    The queries take turns, so that each gets its best passages. Where they match too little, the places that are left go to
    the passages in their own order. The same arguments always give the same answer.
    """
    chosen: dict[str, Passage] = {}
    taken: Counter[int] = Counter()

    def take(passage: Passage) -> bool:
        if passage.id in chosen or passage.id in without or taken[passage.source] >= per_source or len(chosen) >= limit:
            return False
        chosen[passage.id] = passage
        taken[passage.source] += 1
        return True

    lists = [iter(ranked) for ranked in _rankings(passages, queries)]
    while lists and len(chosen) < limit:
        # any() stops at the passage that was taken; a list in which none was is used up.
        lists = [ranked for ranked in lists if any(take(passage) for passage in ranked)]
    for passage in passages:
        take(passage)
    return list(chosen.values())


def _rankings(passages: Sequence[Passage], queries: Sequence[str]) -> list[list[Passage]]:
    """For each query the passages that match it at all, best first, equals in their own order."""
    index = _indexed(tuple(passage.text for passage in passages))
    if index is None:
        return []
    rankings = []
    for query in queries:
        known = [term for term in dict.fromkeys(terms(query)) if term in index.vocab_dict]
        if known:
            scores = index.get_scores(known).tolist()
            matching = (place for place, score in enumerate(scores) if score > 0)
            rankings.append([passages[place] for place in sorted(matching, key=lambda place: -scores[place])])
    return rankings


@lru_cache(maxsize=2)
def _indexed(texts: tuple[str, ...]) -> Any:
    """The index of ``texts``, None where none holds a term. Kept, as an article asks a dozen times of the same passages."""
    corpus = [terms(text) for text in texts]
    if not any(corpus):
        return None
    index = _bm25().BM25()
    index.index(corpus, show_progress=False)
    return index
