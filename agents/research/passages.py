"""Cuts a text into passages that can be cited. Offsets are exact: a passage is ``text[start:end]``."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agents.text.syntax import PAUSES, STOPS
from agents.text.tokenizer import STOP, WORD, count_plain_words, lines, sentences

# Words in a passage: long enough to be understood alone, short enough for a citation to be precise.
MIN_WORDS, ENOUGH_WORDS, MAX_WORDS = 80, 150, 200
MIN_PAGE_WORDS = 25
"""A page of a PDF with fewer words, such as a title page, is no passage of its own."""

# Longer sentences are split. Together with MIN_WORDS this stays within MAX_WORDS.
MAX_PIECE_WORDS = 120
HEADING_WORDS = 12
BULLET = re.compile(r"[-*+•–—·]\s|\(?\d{1,3}[.)]\s")


@dataclass(frozen=True)
class Piece:
    """A sentence, or part of a long one. Passages preferably end after a piece that ends its paragraph."""

    start: int
    end: int
    words: int
    ends_paragraph: bool = False
    heading: bool = False


def split_passages(text: str, page_starts: Sequence[int] = ()) -> list[tuple[int, int]]:
    """Passages of 80 to 200 words that end with a sentence and, if possible, with a paragraph.

    The last one may be shorter, and so may the last of each page of a PDF: citations lead to pages, whose offsets are
    ``page_starts``. A text without words has none. A heading after a full passage begins the next one.
    """
    passages: list[list[Piece]] = []
    current: list[Piece] = []
    for piece in _pieces(text):
        if current and _page_start(piece, page_starts) != _page_start(current[-1], page_starts):
            current = _end_page(passages, current, page_starts)
        if current and _words(current) + piece.words > MAX_WORDS:
            passages.append(current)
            current = []
        current.append(piece)
        words = _words(current)
        if (words >= MIN_WORDS and piece.ends_paragraph and not piece.heading) or words >= ENOUGH_WORDS:
            passages.append(current)
            current = []
    if current and page_starts:
        current = _end_page(passages, current, page_starts)
    if current:
        _close_last(passages, current)
    return [(pieces[0].start, pieces[-1].end) for pieces in passages]


def _page_start(piece: Piece, page_starts: Sequence[int]) -> int:
    place = bisect_right(page_starts, piece.start)
    return page_starts[place - 1] if place else 0


def _end_page(passages: list[list[Piece]], rest: list[Piece], page_starts: Sequence[int]) -> list[Piece]:
    """Closes the last passage of a page. Returns it instead if it is the only one and too short: it then joins the next page."""
    words, is_first = _words(rest), not passages or passages[-1][-1].start < _page_start(rest[-1], page_starts)
    if is_first and words < MIN_PAGE_WORDS:
        return rest
    if not is_first and words < MIN_WORDS and _words(passages[-1]) + words <= MAX_WORDS:
        passages[-1] += rest
    else:
        passages.append(rest)
    return []


def _close_last(passages: list[list[Piece]], rest: list[Piece]) -> None:
    """The rest becomes the last passage, or joins the one before if it is short and fits."""
    if passages and _words(rest) < MIN_WORDS and _words(passages[-1]) + _words(rest) <= MAX_WORDS:
        passages[-1] += rest
    elif _words(rest):
        passages.append(rest)


def _words(pieces: list[Piece]) -> int:
    return sum(piece.words for piece in pieces)


def _pieces(text: str) -> Iterator[Piece]:
    for start, end in lines(text):
        heading = _is_heading(text[start:end])
        found = [piece for sentence in sentences(text, start, end) for piece in _split_sentence(text, *sentence)]
        for begin, finish in found:
            yield Piece(begin, finish, count_plain_words(text, begin, finish), finish == end, heading)


def _split_sentence(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentence, or its parts if it is too long, such as a table or a text without full stops."""
    words = list(WORD.finditer(text, start, end))
    starts = [start, *(words[at].start() for at in range(MAX_PIECE_WORDS, len(words), MAX_PIECE_WORDS)), end]
    for begin, finish in pairwise(starts):
        yield begin, begin + len(text[begin:finish].rstrip())


def _is_heading(line: str) -> bool:
    return count_plain_words(line) <= HEADING_WORDS and line[-1] not in STOPS + PAUSES and not BULLET.match(line)


def is_boilerplate(text: str) -> bool:
    """Whether ``text`` is a menu or a list of links rather than prose: short lines and no complete sentence."""
    counts = [count_plain_words(text, start, end) for start, end in lines(text)]
    if not counts or sum(counts) / len(counts) >= 6:
        return not counts
    return not any(
        STOP.search(text, end - 3, end) and count_plain_words(text, start, end) >= 4 for start, end in sentences(text)
    )
