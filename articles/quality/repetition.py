"""Whether sections say the same in the same words: runs of words that stand in more than one of them.

Within a section nothing is counted, as a list or a refrain may repeat itself on purpose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from agents.text.ngrams import folded_words, ngrams, shared_phrases

NAMED = 3


@dataclass(frozen=True)
class Repetition:
    """``share`` of the runs that stand in another section too; ``phrases`` are the most repeated, with how often."""

    share: float
    phrases: list[tuple[str, int]]


def repetition(sections: Sequence[str]) -> Repetition:
    """What the plain texts of ``sections`` share."""
    words = [folded_words(text) for text in sections]
    found_in: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, section in enumerate(words):
        for run in ngrams(section):
            found_in[run].add(number)
    shared = [[len(found_in[run]) > 1 for run in ngrams(section)] for section in words]
    total = sum(map(len, shared))
    phrases = Counter(
        phrase for section, flags in zip(words, shared, strict=True) for phrase in shared_phrases(section, flags)
    )
    often = sorted(phrases.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))
    return Repetition(
        share=sum(map(sum, shared)) / total if total else 0.0,
        phrases=[(" ".join(phrase), times) for phrase, times in often if times > 1][:NAMED],
    )
