"""What changed within a sentence, by words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from agents.text.syntax import FOOTNOTE
from agents.text.tokenizer import CJK

PieceKind = Literal["same", "removed", "added"]

TOKEN = re.compile(rf"(?P<word>{FOOTNOTE}|[{CJK}]|[^\W_]+(?:[-.,:'’/][^\W_]+)*|#+|\*+|[^\s])(?P<space>\s*)")
MIN_SHARED = 0.3
"""Sentences that share fewer of their words are shown as one replaced by the other: single words in common mean nothing."""
MAX_MATCHES = 2_000_000
"""Pairs of equal words that are compared in one comparison of two texts, at about 0.1 µs. The rest is shown as replaced."""


@dataclass(frozen=True)
class Piece:
    kind: PieceKind
    text: str


Pieces = list[Piece]


def title_pieces(old: str, new: str) -> Pieces:
    """``WordDiff.pieces`` of two titles."""
    return WordDiff().pieces(old, new)


class WordDiff:
    """Compares sentences, within ``MAX_MATCHES`` for all of them."""

    def __init__(self) -> None:
        self.left = MAX_MATCHES

    def pieces(self, old: str, new: str) -> Pieces:
        """``old`` and ``new`` in one: what is the same, removed and added, in the order of reading."""
        was, now = tokens(old), tokens(new)
        old_counts, new_counts = counts(was), counts(now)
        matches = sum(number * new_counts[word] for word, number in old_counts.items())
        if matches > self.left or shared(old_counts, new_counts) < MIN_SHARED:
            return whole(old, new)
        self.left -= matches
        steps = SequenceMatcher(
            None, [word for word, _ in was], [word for word, _ in now], autojunk=False
        ).get_opcodes()
        merged = list(without_islands(steps, was))
        return list(joined(merged, was, now))


def tokens(text: str) -> list[tuple[str, str]]:
    """Words, footnotes and signs, each with the space behind it."""
    return [(match["word"], match["space"]) for match in TOKEN.finditer(text)]


def counts(found: Sequence[tuple[str, str]]) -> Counter[str]:
    return Counter(word.casefold() for word, _ in found)


def shared(one: Counter[str], other: Counter[str]) -> float:
    """The share of words that two sentences have in common, 0 to 1."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def whole(old: str, new: str) -> Pieces:
    return [piece for piece in (Piece("removed", old), Piece("added", new)) if piece.text]


Step = tuple[bool, int, int, int, int]
"""Whether it is the same, and its places in both texts."""


def without_islands(
    opcodes: Sequence[tuple[str, int, int, int, int]], was: Sequence[tuple[str, str]]
) -> Iterator[Step]:
    """Joins changes between which only a sign or a short word stayed: many small pieces are hard to read."""
    held: Step | None = None
    for place, (tag, *span) in enumerate(opcodes):
        from_, to, start, end = span
        text = "".join(word for word, _ in was[from_:to])
        is_island = tag == "equal" and len(text) <= 3 and 0 < place < len(opcodes) - 1
        is_same = tag == "equal" and not is_island
        if held is None or held[0] != is_same:
            if held is not None:
                yield held
            held = (is_same, from_, to, start, end)
        else:
            held = (is_same, held[1], to, held[3], end)
    if held is not None:
        yield held


def joined(steps: Sequence[Step], was: Sequence[tuple[str, str]], now: Sequence[tuple[str, str]]) -> Iterator[Piece]:
    for is_same, from_, to, start, end in steps:
        if is_same:
            yield Piece("same", text_of(now[start:end]))
            continue
        if to > from_:
            yield Piece("removed", text_of(was[from_:to]))
        if end > start:
            yield Piece("added", text_of(now[start:end]))


def text_of(found: Sequence[tuple[str, str]]) -> str:
    return "".join(word + space for word, space in found)
