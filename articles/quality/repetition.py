"""Whether sections say the same in the same words: runs of words that stand in more than one of them.

Six words in a row: shorter runs are names and terms, which an article has to repeat; longer ones miss what was reworded a
little. Within a section nothing is counted, as a list or a refrain may repeat itself on purpose.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.text.words import WORD

RUN = 6
NAMED = 3


@dataclass(frozen=True)
class Repetition:
    """``share`` of the runs that stand in another section too; ``phrases`` are the most repeated, with how often."""

    share: float
    phrases: list[tuple[str, int]]


def repetition(sections: Sequence[str]) -> Repetition:
    """What the plain texts of ``sections`` share."""
    words = [[word[0].casefold() for word in WORD.finditer(text)] for text in sections]
    found_in: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, section in enumerate(words):
        for run in runs(section):
            found_in[run].add(number)
    shared = [[len(found_in[run]) > 1 for run in runs(section)] for section in words]
    total = sum(map(len, shared))
    phrases = Counter(
        phrase for section, flags in zip(words, shared, strict=True) for phrase in stretches(section, flags)
    )
    often = sorted(phrases.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))
    return Repetition(
        share=sum(map(sum, shared)) / total if total else 0.0,
        phrases=[(" ".join(phrase), times) for phrase, times in often if times > 1][:NAMED],
    )


def runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(RUN)), strict=False)


def stretches(words: Sequence[str], shared: Sequence[bool]) -> Iterator[tuple[str, ...]]:
    """The longest stretches of ``words`` whose runs are all shared."""
    begin = None
    for at, is_shared in enumerate([*shared, False]):
        if is_shared and begin is None:
            begin = at
        elif not is_shared and begin is not None:
            yield tuple(words[begin : at - 1 + RUN])
            begin = None
