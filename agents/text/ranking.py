"""Ranks passages by how well they answer a set of questions (BM25)."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence
from functools import cache, lru_cache
from typing import Any

from agents.contract import Passage
from agents.text.keyword_match import without_plural_s
from agents.text.stop_words import likely_language, stop_words
from agents.text.tokenizer import CJK, IDEOGRAPH, LETTERS, UNSPACED

TERM = re.compile(f"[{CJK}]+|[{UNSPACED}]+|{LETTERS}")
_UNSPACED = re.compile(f"[{UNSPACED}]")


def preload() -> None:
    stop_words("en")
    _bm25()


@cache
def _bm25() -> Any:
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # importing it turns its debug log on
    return bm25s


def terms(text: str, language: str = "en") -> list[str]:
    """Index terms: words without the stop words of ``language`` and without a plural's s.

    Chinese and Japanese, written without spaces, give character bigrams; Thai, Lao, Burmese and Khmer give trigrams.
    """
    found, stop = [], stop_words(language)
    for word in TERM.findall(text.casefold()):
        if size := _ngram_size(word):
            found += [word[at : at + size] for at in range(max(1, len(word) - size + 1))]
        elif word not in stop:
            found.append(without_plural_s(word))
    return found


def _ngram_size(word: str) -> int:
    """Characters of ``word`` that make a term; 0 if the whole word is one."""
    if word.isascii():
        return 0
    return 2 if IDEOGRAPH.match(word) else 3 if _UNSPACED.match(word) else 0


def rank_by_language(passages: Sequence[Passage], languages: Sequence[str], question: str) -> dict[str, list[Passage]]:
    """For each language the passages that match ``question``, best first; ``languages`` has that of each passage.

    A language is an index of its own: scores of two languages do not compare, and the stop words of the question's language,
    which match no passage of another, would rank the passages of its own first.
    """
    known = sorted(set(languages))
    return {
        language: _ranking(
            [passage for passage, spoken in zip(passages, languages, strict=True) if spoken == language],
            language,
            _question_terms(question, language, known),
        )
        for language in known
    }


def _question_terms(question: str, language: str, known: Collection[str]) -> list[str]:
    """Terms of ``question`` without stop words of its own language, which may be another than that of the passages."""
    own = likely_language(TERM.findall(question.casefold()), {*known, "en"})
    in_own = set(terms(question, own))
    return [term for term in terms(question, language) if term in in_own]


def _ranking(passages: Sequence[Passage], language: str, query: Sequence[str]) -> list[Passage]:
    """The passages that contain a term of ``query``, best first; ties keep their order."""
    index = _indexed(tuple(passage.text for passage in passages), language)
    if index is None:
        return []
    known = [term for term in dict.fromkeys(query) if term in index.vocab_dict]
    if not known:
        return []
    scores = index.get_scores(known).tolist()
    matching = (place for place, score in enumerate(scores) if score > 0)
    return [passages[place] for place in sorted(matching, key=lambda place: -scores[place])]


@lru_cache(maxsize=8)
def _indexed(texts: tuple[str, ...], language: str) -> Any:
    """The index of ``texts``, or None if none holds a term. Cached: an article queries the same passages a dozen times."""
    corpus = [terms(text, language) for text in texts]
    if not any(corpus):
        return None
    index = _bm25().BM25()
    index.index(corpus, show_progress=False)
    return index
