"""Terms and TF-IDF vectors of texts, to rank sentences and to find and name themes."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from agents.text.keyword_match import STEM_LETTERS, without_plural_s
from agents.text.tokenizer import CJK, IDEOGRAPH

_RUN = re.compile(rf"[{CJK}]+|[^\W\d_{CJK}]+(?:['’-][^\W\d_{CJK}]+)*")

Vector = dict[str, float]

# bm25s' names of its lists of function words, by language.
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
    """Function words of ``language``, such as "the" and "of"; empty if there is no list for it."""
    from bm25s import stopwords  # takes 0.3 s

    return frozenset(getattr(stopwords, _LISTS.get(language.partition("-")[0].lower(), ""), ()))


def words(text: str) -> list[str]:
    """The words of ``text`` without numbers and punctuation."""
    return _RUN.findall(text)


def terms(text: str, language: str) -> list[str]:
    """The words of ``text`` without function words, each cut to six letters; character bigrams in Chinese and Japanese.

    Cutting stands in for stemming in every language that inflects at the end.
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
    return without_plural_s(word)[:STEM_LETTERS]


def rarity(documents: Iterable[Iterable[str]]) -> Vector:
    """Inverse document frequency of each term by BM25's formula, which is never negative."""
    counts = Counter[str]()
    total = 0
    for document in documents:
        counts.update(set(document))
        total += 1
    return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in counts.items()}


def vector(found: Iterable[str], rarities: Vector) -> Vector:
    """The TF-IDF vector, normalised to length 1; empty if no term has a weight."""
    raw = {term: (1 + math.log(count)) * rarities.get(term, 0.0) for term, count in Counter(found).items()}
    length = math.sqrt(sum(weight * weight for weight in raw.values()))
    return {term: weight / length for term, weight in raw.items()} if length else {}


def similarity(one: Vector, other: Vector) -> float:
    """Cosine of two normalised vectors, 0 to 1."""
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)
