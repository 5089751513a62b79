"""Whether words stand in a text just so: a whole sentence, or what is given as a quotation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate

from agents.text.tokenizer import PAUSES, STOPS, count_words

_FEWEST_WORDS_OF_A_SENTENCE = 5
"""Shorter ones may stand anywhere and mean something else there."""

_FEWEST_WORDS_OF_A_QUOTATION = 3

# An inch mark opens no quotation: the straight one opens only behind something else than a word.
_QUOTATION = re.compile(
    r"„([^„“”]+)[“”]|“([^“”]+)”|«([^«»]+)»|»([^«»]+)«|「([^「」]+)」|『([^『』]+)』|(?<!\w)\"([^\"]+)\""
    r"|(?<!\w)‘([^‘]+?)’(?!\w)"  # British; an apostrophe within stands between letters
)
_LEFT_OUT = re.compile(r"\[[^\[\]]*\]|\(?…\)?|\(?\.\.\.\)?")
_MARKS_OF_QUOTATION = re.compile("[\"„“”«»「」『』‚‘’'`´]")
_DASHES = re.compile("[‐‑‒–—―−]")
_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|[*_`#]")
_NOTE_MARK = re.compile(r"\[\d{1,3}\]")
_EDGES = f" {STOPS}{PAUSES}()[]"
_BEFORE_A_SENTENCE = STOPS + ":;)]"
_BULLET = re.compile(r"^(?:[-+•·]|\d{1,3}[.)])\s")


def is_verbatim(sentence: str, text: str) -> bool:
    """Whether ``sentence`` is one of ``text``, word for word. Case, kinds of quotation marks, dashes and spaces do not matter.

    A part of a longer sentence is not enough: what is "not true that …" would seem to be said.
    """
    words = " ".join(normalize(sentence).split()).strip(_EDGES)
    if count_words(words) < _FEWEST_WORDS_OF_A_SENTENCE:
        return False
    said, lines = _said(text)
    at = said.find(words)
    while at >= 0:
        end = at + len(words)
        begins = at in lines or said[:at].rstrip()[-1:] in _BEFORE_A_SENTENCE
        ends = end + 1 in lines or said[end : end + 2].lstrip()[:1] in STOPS
        if begins and ends:
            return True
        at = said.find(words, at + 1)
    return False


def missing_quotations(sentence: str, texts: Sequence[str]) -> list[str]:
    """What ``sentence`` gives as a quotation of three words or more and none of ``texts`` says so.

    Where a quotation leaves something out (…) or puts something in [so], each of its parts has to be there.
    """
    said = [normalize(text) for text in texts]
    return [
        quotation
        for quotation in _quotations(sentence)
        if count_words(quotation) >= _FEWEST_WORDS_OF_A_QUOTATION
        and not any(all(_holds(text, part) for part in _LEFT_OUT.split(quotation)) for text in said)
    ]


@lru_cache(maxsize=256)  # many sentences cite the same passage
def normalize(text: str) -> str:
    """``text`` as it is compared: in small letters, without quotation marks, note marks and Markdown, with one kind of dash."""
    text = unicodedata.normalize("NFKC", _MARKUP.sub(r"\1", _NOTE_MARK.sub("", text))).casefold()
    return _DASHES.sub("-", _MARKS_OF_QUOTATION.sub("", text))


@lru_cache(maxsize=256)
def _said(text: str) -> tuple[str, frozenset[int]]:
    """``text`` as it is compared, on one line, and where in it each of its lines begins; the last is where one more would."""
    lines = [_BULLET.sub("", " ".join(line.split())) for line in normalize(text).split("\n")]
    starts = accumulate((len(line) + 1 for line in lines if line), initial=0)
    return " ".join(filter(None, lines)), frozenset(starts)


def _quotations(sentence: str) -> Iterator[str]:
    for found in _QUOTATION.finditer(sentence):
        yield next(part for part in found.groups() if part is not None).strip()


def _holds(text: str, part: str) -> bool:
    words = normalize(part).strip(_EDGES)
    if not words:
        return True
    before, after = (r"\b" if _is_letter(edge) else "" for edge in (words[0], words[-1]))
    return re.search(before + _spaced(words) + after, text) is not None


def _is_letter(sign: str) -> bool:
    """Whether words end beside ``sign`` only where there is a space or a mark: not so in scripts without capitals, as a rule."""
    return sign.isalnum() and unicodedata.category(sign) != "Lo"


def _spaced(words: str) -> str:
    """A pattern of ``words`` with any space or line break between them."""
    return r"\s+".join(map(re.escape, words.split()))
