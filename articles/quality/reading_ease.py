"""Reading ease by the formula for the text's language: about 100 for a children's book, below 30 for a law.

Syllables are counted by the places where a word may be hyphenated, which is wrong for some words and about right for a text.
Formulae: Flesch 1948 (English), Amstad 1978 (German), Fernández Huerta 1959, with words per sentence as in its examples
(Spanish), Kandel and Moles 1958 (French), Vacca 1972 (Italian).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pyphen

from agents.text.tokenizer import WORD


@dataclass(frozen=True)
class Formula:
    """``base`` − ``sentence`` × words per sentence − ``syllable`` × syllables per word; ``dictionary`` is pyphen's."""

    name: str
    dictionary: str
    base: float
    sentence: float
    syllable: float


FORMULAE = {
    "en": Formula("Flesch", "en_US", 206.835, 1.015, 84.6),
    "de": Formula("Amstad", "de_DE", 180.0, 1.0, 58.5),
    "es": Formula("Fernández Huerta", "es", 206.84, 1.02, 60.0),
    "fr": Formula("Kandel–Moles", "fr", 207.0, 1.015, 73.6),
    "it": Formula("Flesch–Vacca", "it_IT", 206.0, 1.0, 65.0),
}


@dataclass(frozen=True)
class ReadingEase:
    score: float
    formula: str


def reading_ease(sentences: Sequence[str], language: str) -> ReadingEase | None:
    """None if there is no formula for ``language`` (a BCP 47 tag), or no words."""
    formula = FORMULAE.get(language.partition("-")[0].lower())
    words = [word[0] for sentence in sentences for word in WORD.finditer(sentence)]
    if formula is None or not words:
        return None
    syllables_per_word = sum(syllables(word, formula.dictionary) for word in words) / len(words)
    words_per_sentence = len(words) / len(sentences)
    score = formula.base - formula.sentence * words_per_sentence - formula.syllable * syllables_per_word
    return ReadingEase(round(score, 1), formula.name)


def syllables(word: str, dictionary: str) -> int:
    return len(hyphenation(dictionary).positions(word.lower())) + 1


@cache
def hyphenation(dictionary: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang=dictionary, left=1, right=1)
