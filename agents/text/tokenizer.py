"""What counts as a word and as a sentence. Offsets throughout are in characters of the text that is given."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
IDEOGRAPH = re.compile(f"[{CJK}]")
# Thai, Lao, Burmese and Khmer set no spaces either; a word of theirs has about five signs.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Signs written onto the letter before them, which are no letters to ``re``: the vowels of Hindi, Thai or Arabic, accents that
# stand apart. Those that only choose how a sign is drawn are none.
MARKS = "".join(
    sign for sign in map(chr, range(0x300, 0x1E00)) if unicodedata.category(sign) in ("Mn", "Mc") and sign != "\u034f"
)
_SIGN = f"[^\\W_{CJK}{UNSPACED}]"
LETTERS = f"{_SIGN}{{1,60}}(?:[{MARKS}]{{1,9}}{_SIGN}{{0,60}}){{0,60}}"
# Each character of Chinese or Japanese counts as a word, as word processors have it; else what stands between spaces or dashes.
# What is longer than 60 signs is no word but noise, and counts as several.
WORD = re.compile(f"[{CJK}]|[{UNSPACED}]{{1,5}}|{_SIGN}(?:[^\\s–—{CJK}{UNSPACED}]{{0,58}}{_SIGN})?[{MARKS}]*")

LINE = re.compile(r"[^\n]+")
# What ends a sentence. The doubtful ones may stand within one, too; behind those of Chinese and Japanese there is no space.
_DOUBTFUL_STOPS = ".!?…"
_SPACED_STOPS = _DOUBTFUL_STOPS + "।॥؟۔։።။។"
WIDE_STOPS = "。．！？｡"
STOPS = _SPACED_STOPS + WIDE_STOPS
PAUSES = ",;:،؛、，；："
# A mark that may end a sentence, what closes with it, and marks such as [3], [S3] or [^3] that follow it.
STOP = re.compile(
    rf"(?:[{_SPACED_STOPS}]+[\"'”’»)\]]*|[{WIDE_STOPS}]+[」』”’）]*)(?:\[(?:\^?\d{{1,3}}|S\d{{1,5}}(?:, S\d{{1,5}})*)\])*"
)
SPACE = re.compile(r"\s*")
# Single letters and pairs of them cover initials, "e.g.", "U.S." and their like in other languages.
ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[^\W\d_]|[^\W\d_]\.[^\W\d_]|mrs?|ms|dr|prof|st|vs|cf|fig|eq|vol|pp|eds?|et al|approx|ca|inc|ltd"
    r"|co|jr|sr|bzw)\.$",
    re.IGNORECASE,
)
LIST_NUMBER = re.compile(r"\s*\(?\d{1,3}\.$")


def count_words(text: str, start: int = 0, end: int | None = None) -> int:
    """How many words ``text[start:end]`` has, for whoever counts words in the studio: writer, passages, pages."""
    return len(WORD.findall(text, start, len(text) if end is None else end))


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Where each line that holds something begins and ends, without the spaces around it."""
    for line in LINE.finditer(text):
        content = line[0].strip()
        if content:
            start = line.start() + line[0].index(content)
            yield start, start + len(content)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Where each sentence begins and ends. A line break always ends one; a stop without a space after it may."""
    found = []
    for begin, finish in lines(text[start:end]):
        at, finish = begin + start, finish + start
        for stop in STOP.finditer(text, at, finish):
            if stop.start() > at and _ends(text, at, stop, finish):
                found.append((at, stop.end()))
                at = _past_spaces(text, stop.end(), finish)
        if at < finish:
            found.append((at, finish))
    return found


def _past_spaces(text: str, at: int, finish: int) -> int:
    spaces = SPACE.match(text, at, finish)
    return spaces.end() if spaces else at


def _ends(text: str, at: int, stop: re.Match[str], finish: int) -> bool:
    """Whether ``stop`` ends the sentence that began at ``at``, or belongs to an abbreviation, a number, a list's number."""
    end = stop.end()
    if end == finish or (stop[0][0] not in _DOUBTFUL_STOPS and not _is_point(text, stop)):
        return True
    following = text[end : end + 2].lstrip()
    if not text[end].isspace():
        # "it works.The next": a sentence only where a word, not an initial or a file's name, came before and a capital follows.
        return text[end].isupper() and text[max(at, stop.start() - 2) : stop.start()].islower()
    if following[:1].islower():
        return False
    if stop[0] != ".":
        return True
    before = text[max(at, stop.start() - 12) : end]
    return not ABBREVIATION.search(before) and not LIST_NUMBER.fullmatch(text, at, end)


def _is_point(text: str, stop: re.Match[str]) -> bool:
    """Whether ``stop`` is the wide full stop of a number such as ３．５."""
    return stop[0] == "．" and text[stop.end() : stop.end() + 1].isdecimal()
