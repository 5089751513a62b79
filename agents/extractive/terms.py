"""What a text is about, in terms that can be compared: for ranking sentences, finding themes and naming them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from agents.text.tokenizer import CJK, IDEOGRAPH

_RUN = re.compile(rf"[{CJK}]+|[^\W\d_{CJK}]+(?:['’-][^\W\d_{CJK}]+)*")
_STEM = 6

Vector = dict[str, float]

# The names bm25s gives its lists of function words, by BCP 47 language.
_LISTS = {
    "en": "STOPWORDS_EN_PLUS",
    "de": "STOPWORDS_GERMAN",
    "nl": "STOPWORDS_DUTCH",
    "fr": "STOPWORDS_FRENCH",
    "es": "STOPWORDS_SPANISH",
    "pt": "STOPWORDS_PORTUGUESE",
    "it": "STOPWORDS_ITALIAN",
    "ru": "STOPWORDS_RUSSIAN",
    "sv": "STOPWORDS_SWEDISH",
    "no": "STOPWORDS_NORWEGIAN",
    "nb": "STOPWORDS_NORWEGIAN",
    "da": "STOPWORDS_DANISH",
    "tr": "STOPWORDS_TURKISH",
}


@lru_cache(maxsize=16)
def function_words(language: str) -> frozenset[str]:
    """The words of ``language`` that say nothing of a theme, such as "the" and "of"; empty for a language we have no list of."""
    from bm25s import stopwords  # 0.3 s: not for whoever only imports this package

    return frozenset(getattr(stopwords, _LISTS.get(language.partition("-")[0].lower(), ""), ()))


def words(text: str) -> list[str]:
    """The words of ``text`` as they stand, without numbers and punctuation."""
    return _RUN.findall(text)


def terms(text: str, language: str) -> list[str]:
    """What ``text`` may be compared by: its words without function words, each cut to six letters.

    Cutting stands in for stemming: it works alike in every language that inflects at the end. Chinese and Japanese, which
    set no spaces, give pairs of characters.
    """
    stop = function_words(language)
    found: list[str] = []
    for word in words(text.casefold()):
        if IDEOGRAPH.match(word):
            found += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        elif len(word) > 1 and word not in stop:
            found.append(stem(word))
    return found


def stem(word: str) -> str:
    word = word.casefold().removesuffix("'s").removesuffix("’s")
    return (word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word)[:_STEM]


def rarity(documents: Iterable[Iterable[str]]) -> Vector:
    """Inverse document frequency of each term, as BM25 has it (never negative)."""
    counts = Counter[str]()
    total = 0
    for document in documents:
        counts.update(set(document))
        total += 1
    return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in counts.items()}


def vector(found: Iterable[str], rarities: Vector) -> Vector:
    """A vector of length 1 (or 0): how much each term says, by how often it occurs here and how rare it is elsewhere."""
    raw = {term: (1 + math.log(count)) * rarities.get(term, 0.0) for term, count in Counter(found).items()}
    length = math.sqrt(sum(weight * weight for weight in raw.values()))
    return {term: weight / length for term, weight in raw.items()} if length else {}


def likeness(one: Vector, other: Vector) -> float:
    """Cosine of two vectors of length 1: from 0, nothing in common, to 1."""
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)
