"""Words and sentences of plain text. Offsets are in characters of the text that is given."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from agents.text.syntax import AMBIGUOUS_STOPS, CITATION, SPACED_STOPS, WIDE_STOPS

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
IDEOGRAPH = re.compile(f"[{CJK}]")
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Thai, Lao, Burmese and Khmer, which put no spaces between words either; a word has about five characters."""

MARKS = "".join(
    sign for sign in map(chr, range(0x300, 0x1E00)) if unicodedata.category(sign) in ("Mn", "Mc") and sign != "\u034f"
)
"""Combining characters, which ``\\w`` leaves out: vowel signs of Hindi, Thai or Arabic, and detached accents."""

_SIGN = f"[^\\W_{CJK}{UNSPACED}]"
LETTERS = f"{_SIGN}{{1,60}}(?:[{MARKS}]{{1,9}}{_SIGN}{{0,60}}){{0,60}}"
WORD = re.compile(f"[{CJK}]|[{UNSPACED}]{{1,5}}|{_SIGN}(?:[^\\s–—{CJK}{UNSPACED}]{{0,58}}{_SIGN})?[{MARKS}]*")
"""What stands between spaces or dashes; each character of Chinese or Japanese, as word processors count.

More than 60 characters are not a word: they count as several.
"""

LINE = re.compile(r"[^\n]+")
_CLOSING = "(?:[\u00a0\u202f]?[»›]|[\"'”’“‘)\\]])*"  # French has a space before its mark
STOP = re.compile(rf"(?:[{SPACED_STOPS}]+{_CLOSING}|[{WIDE_STOPS}]+[」』”’）]*)(?:\[\^?\d{{1,3}}\]|{CITATION})*")
"""A stop, the quotation marks and brackets that close with it, and note marks such as ``[3]``, ``[S3]`` or ``[^3]``."""

SPACE = re.compile(r"\s*")
# Single letters and pairs of them cover initials, "e.g.", "U.S." and the like in other languages.
ABBREVIATION = re.compile(
    r"(?:^|[\s(\[])(?:[^\W\d_]|[^\W\d_]\.[^\W\d_]|mrs?|ms|dr|prof|st|vs|cf|fig|eq|vol|pp|eds?|et al|approx|ca|inc|ltd"
    r"|co|jr|sr|bzw|mio|mrd|tsd|nr|inkl|zzgl|ggf|evtl|vgl|sog|mind|std)\.$",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(?:^|[\s(])\d{1,2}\.$")
_AFTER_ORDINAL = re.compile(
    r"\s(?:Jan|Feb|März|Apr|Mai\b|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Quartal|Jahrhundert"
    r"|Schulstufe|Klassen?\b|Jahrgangs?stufe|Lebensjahr|Auflage|Semester|Stock\b|Platz\b)"
)
LIST_NUMBER = re.compile(r"\s*\(?\d{1,3}\.$")


def count_plain_words(text: str, start: int = 0, end: int | None = None) -> int:
    """Words of the plain text ``text[start:end]``. For Markdown use ``agents.text.markdown.count_words``."""
    return len(WORD.findall(text, start, len(text) if end is None else end))


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line that is not blank, without the spaces around its content."""
    for line in LINE.finditer(text):
        content = line[0].strip()
        if content:
            start = line.start() + line[0].index(content)
            yield start, start + len(content)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Start and end of each sentence. A line break always ends one."""
    found = []
    for begin, finish in lines(text[start:end]):
        at, finish = begin + start, finish + start
        for stop in STOP.finditer(text, at, finish):
            if stop.start() > at and _ends_sentence(text, at, stop, finish):
                found.append((at, stop.end()))
                spaces = SPACE.match(text, stop.end(), finish)
                at = spaces.end() if spaces else stop.end()
        if at < finish:
            found.append((at, finish))
    return found


def _ends_sentence(text: str, at: int, stop: re.Match[str], finish: int) -> bool:
    """Whether ``stop`` ends the sentence that began at ``at``, and is not part of an abbreviation or a number."""
    end = stop.end()
    is_decimal_point = stop[0] == "．" and text[end : end + 1].isdecimal()  # ３．５
    if end == finish or (stop[0][0] not in AMBIGUOUS_STOPS and not is_decimal_point):
        return True
    if not text[end].isspace():
        # "it works.The next": needs a lower-case word before and a capital after, so that initials and file names stay whole.
        return text[end].isupper() and text[max(at, stop.start() - 2) : stop.start()].islower()
    if text[end : end + 2].lstrip()[:1].islower():
        return False
    if stop[0] != ".":
        return True
    before = text[max(at, stop.start() - 12) : end]
    if _ORDINAL.search(before) and _AFTER_ORDINAL.match(text, end):  # 3. Oktober
        return False
    return not ABBREVIATION.search(before) and not LIST_NUMBER.fullmatch(text, at, end)
