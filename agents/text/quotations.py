"""Verbatim comparison: whether a text contains a whole sentence, or what a sentence gives as a quotation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

from agents.text.syntax import PAUSES, SOURCE_NOTE, STOPS
from agents.text.tokenizer import count_plain_words

MIN_SENTENCE_WORDS = 5
"""A shorter sentence may occur anywhere and mean something else there."""

MIN_QUOTATION_WORDS = 3

# A straight quotation mark opens only if no word precedes it: otherwise it is an inch mark.
_QUOTATION = re.compile(
    r"„([^„“”]+)[“”]|“([^“”]+)”|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」|『([^『』]+)』|(?<!\w)\"([^\"]+)\""
    r"|(?<!\w)”([^„“”]+)”(?!\w)"  # Swedish and Finnish
    r"|(?<!\w)‘([^‘]+?)’(?!\w)"  # British; an apostrophe within stands between letters
)
_OMISSION = re.compile(r"\[[^\[\]]*\]|\(?…\)?|\(?\.\.\.\)?")
_QUOTATION_MARKS = re.compile("[\"„“”«»‹›「」『』‚‘’'`´]")
_DASHES = re.compile("[‐‑‒–—―−]")
_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|[*_`#]")
_EDGES = f" {STOPS}{PAUSES}()[]"
_BEFORE_SENTENCE = STOPS + ":;)]"
_BULLET = re.compile(r"^(?:[-+•·]|\d{1,3}[.)])\s")


def is_verbatim(sentence: str, text: str) -> bool:
    """Whether ``sentence`` is a sentence of ``text``, ignoring case, whitespace and kinds of quotation marks and dashes.

    Part of a longer sentence does not count: otherwise "it is not true that …" would confirm what it denies.
    """
    words = " ".join(normalize(sentence).split()).strip(_EDGES)
    if count_plain_words(words) < MIN_SENTENCE_WORDS:
        return False
    line, starts = _as_one_line(text)
    at = line.find(words)
    while at >= 0:
        end = at + len(words)
        begins = at in starts or line[:at].rstrip()[-1:] in _BEFORE_SENTENCE
        ends = end + 1 in starts or line[end : end + 2].lstrip()[:1] in STOPS
        if begins and ends:
            return True
        at = line.find(words, at + 1)
    return False


def missing_quotations(sentence: str, texts: Sequence[str]) -> list[str]:
    """The quotations of ``sentence``, three words or longer, that none of ``texts`` contains.

    If a quotation omits something (…) or inserts something [so], each of its parts has to be there.
    """
    normalized = [normalize(text) for text in texts]
    return [
        quotation
        for quotation in quotations_in(sentence)
        if count_plain_words(quotation) >= MIN_QUOTATION_WORDS
        and not any(all(_contains(text, part) for part in _OMISSION.split(quotation)) for text in normalized)
    ]


@lru_cache(maxsize=256)  # many sentences cite the same passage
def normalize(text: str) -> str:
    """``text`` for comparison: case-folded, without quotation marks, note marks and Markdown, with one kind of dash."""
    text = unicodedata.normalize("NFKC", _MARKUP.sub(r"\1", SOURCE_NOTE.sub("", text))).casefold()
    return _DASHES.sub("-", _QUOTATION_MARKS.sub("", text))


@lru_cache(maxsize=256)
def _as_one_line(text: str) -> tuple[str, frozenset[int]]:
    """The normalized ``text`` on one line, and where each of its lines begins in it, including one after the last."""
    lines = [_BULLET.sub("", " ".join(line.split())) for line in normalize(text).split("\n")]
    starts = accumulate((len(line) + 1 for line in lines if line), initial=0)
    return " ".join(filter(None, lines)), frozenset(starts)


def quotations_in(sentence: str) -> Iterator[str]:
    for found in _QUOTATION.finditer(sentence):
        yield next(part for part in found.groups() if part is not None).strip()


def _contains(text: str, part: str) -> bool:
    """Whether ``text`` contains ``part`` as whole words, with any whitespace between them."""
    words = normalize(part).strip(_EDGES)
    if not words:
        return True
    before, after = (r"\b" if _has_word_boundaries(edge) else "" for edge in (words[0], words[-1]))
    return re.search(before + r"\s+".join(map(re.escape, words.split())) + after, text) is not None


def _has_word_boundaries(character: str) -> bool:
    """Whether words beside ``character`` end at a space or mark: mostly not in scripts without upper and lower case."""
    return character.isalnum() and unicodedata.category(character) != "Lo"
