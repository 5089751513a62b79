"""Cutting a text into passages that can be cited one by one. Pure functions; offsets are exact: ``text[start:end]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from agents.text.syntax import PAUSES, STOPS
from agents.text.tokenizer import STOP, WORD, count_plain_words, lines, sentences

# Words of a passage: long enough to stand for itself, short enough for a citation to mean something.
LEAST, ENOUGH, MOST = 80, 150, 200
# A sentence is broken at this many words. With LEAST it stays below MOST, so that no passage must be too short or too long.
LONGEST_PIECE = 120
HEADING_WORDS = 12
BULLET = re.compile(r"[-*+•–—·]\s|\(?\d{1,3}[.)]\s")


@dataclass(frozen=True)
class Piece:
    """A sentence or a part of a long one. A passage may well end after a piece that ends its paragraph."""

    start: int
    end: int
    words: int
    ends_paragraph: bool = False
    heading: bool = False


def cut(text: str) -> list[tuple[int, int]]:
    """Passages of 80 to 200 words that end with a sentence and, where they can, with a paragraph.

    The last may be shorter, a shorter text is one passage, and a text without any word has none. A heading after a full
    passage begins the next.
    """
    passages: list[list[Piece]] = []
    current: list[Piece] = []
    for piece in _pieces(text):
        if current and _words(current) + piece.words > MOST:
            passages.append(current)
            current = []
        current.append(piece)
        words = _words(current)
        if (words >= LEAST and piece.ends_paragraph and not piece.heading) or words >= ENOUGH:
            passages.append(current)
            current = []
    if current:
        _close_last(passages, current)
    return [(pieces[0].start, pieces[-1].end) for pieces in passages]


def _close_last(passages: list[list[Piece]], rest: list[Piece]) -> None:
    """What is left becomes the last passage, or joins the one before it where it is short and there is room."""
    if passages and _words(rest) < LEAST and _words(passages[-1]) + _words(rest) <= MOST:
        passages[-1] += rest
    elif _words(rest):
        passages.append(rest)


def _words(pieces: list[Piece]) -> int:
    return sum(piece.words for piece in pieces)


def _pieces(text: str) -> Iterator[Piece]:
    for start, end in lines(text):
        heading = _is_heading(text[start:end])
        found = [piece for sentence in sentences(text, start, end) for piece in _broken(text, *sentence)]
        for begin, finish in found:
            yield Piece(begin, finish, count_plain_words(text, begin, finish), finish == end, heading)


def _broken(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence itself, or its parts where it is too long to be one piece: a table, a text without full stops."""
    words = list(WORD.finditer(text, start, end))
    starts = [start, *(words[at].start() for at in range(LONGEST_PIECE, len(words), LONGEST_PIECE)), end]
    for begin, finish in pairwise(starts):
        yield begin, begin + len(text[begin:finish].rstrip())


def _is_heading(line: str) -> bool:
    return count_plain_words(line) <= HEADING_WORDS and line[-1] not in STOPS + PAUSES and not BULLET.match(line)


def is_boilerplate(text: str) -> bool:
    """Whether ``text`` is no prose at all but a menu, a row of buttons, a list of links: short lines and no full sentence."""
    counts = [count_plain_words(text, start, end) for start, end in lines(text)]
    if not counts or sum(counts) / len(counts) >= 6:
        return not counts
    return not any(
        STOP.search(text, end - 3, end) and count_plain_words(text, start, end) >= 4 for start, end in sentences(text)
    )
