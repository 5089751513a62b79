"""Phrases that more than one section contains. Within a section repetition may be intended, as in a list."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from agents.text.ngrams import folded_words, ngrams, shared_phrases

MAX_PHRASES = 3


@dataclass(frozen=True)
class Repetition:
    """``share`` of the word n-grams that another section contains too; ``phrases`` are the most repeated, with counts."""

    share: float
    phrases: list[tuple[str, int]]


def repetition(sections: Sequence[str]) -> Repetition:
    """What the plain texts of ``sections`` share."""
    words = [folded_words(text) for text in sections]
    found_in: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, section in enumerate(words):
        for ngram in ngrams(section):
            found_in[ngram].add(number)
    shared = [[len(found_in[ngram]) > 1 for ngram in ngrams(section)] for section in words]
    total = sum(map(len, shared))
    phrases = Counter(
        phrase for section, flags in zip(words, shared, strict=True) for phrase in shared_phrases(section, flags)
    )
    ranked = sorted(phrases.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))
    return Repetition(
        share=sum(map(sum, shared)) / total if total else 0.0,
        phrases=[(" ".join(phrase), times) for phrase, times in ranked if times > 1][:MAX_PHRASES],
    )
