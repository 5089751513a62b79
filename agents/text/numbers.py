"""Numbers in running text, and whether others state the same ones, however either side writes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

_NUMBER = re.compile(
    r"(?<!\d)\d{1,3}(?:[ \u00a0\u2009\u202f'’]\d{3})+(?:[.,]\d+)?(?!\d)"  # 1 000  1'000.50
    r"|\d+(?:[.,]\d+)*"  # 1000  1,000.50  1.000,50  12.10.2026
)
_DIGITS = re.compile(r"\d+")
_ORDINAL_OR_DECADE = re.compile(
    r"(?:st|nd|rd|th|er|re|ère|ème|e|è|ste|de|º|ª|-(?:й|я|е|го|ой|ом|м|х)|['’]?s)(?!\w)", re.IGNORECASE
)
_DOTTED_ORDINAL = re.compile(r"\.\s+[^\W\d]")  # 3. Oktober
_RANGE = re.compile(r"\s?[-‐‑–—−]\s?|\s(?:to|and|or|bis|und|oder|à|et|ou|a|e|y|o)\s")
_RANGE_BEFORE = re.compile(r"(\d+)\s?[-‐‑–—−]\s?\Z")
_LIST_NUMBER = re.compile(r"\A(?:\(?\d{1,3}[.)]|\d{1,3}(?:\.\d{1,3})+\.?)\s")
_NOTE_MARK = re.compile(r"\[\d{1,3}\]")
_NUMBERED = re.compile(r"\(\d{1,2}\)")  # (1) first, (2) second
_FRACTION = re.compile("(\\d?)([½¼¾])")
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹₀-₉]+")
_BARE_POINT = re.compile(r"(?<![\w.,])\.(?=\d)")

# Which power of ten a word multiplies by: several where languages differ ("billion") or a letter may be a unit (5 m).
_SCALES = {
    (3,): "thousand tausend tsd mille mil mila duizend tusen tusind тысяч тыс nghìn ngàn tisíc tys 千 천",
    (6,): "million millions millionen mio mln millón millones milhão milhões milione milioni miljoen miljon miljoner"
    " millioner миллион миллиона миллионов млн triệu milion milionów milionů juta milyon",
    (
        9,
    ): "milliard milliards milliarde milliarden mrd miliardi miljard miljarder milliarder миллиард миллиардов млрд tỷ tỉ"
    " miliard miliardów miliar milyar",
    (9, 12): "billion billions bn bilhão bilhões billones billón",
    (12, 18): "trillion trillions",
    (4,): "万 萬 만 vạn",
    (8,): "億 亿 억",
    (5,): "lakh lakhs लाख",
    (7,): "crore crores करोड़",
    (0, 3): "k",
    (0, 6): "m",
    (0, 9): "b",
}
_POWERS = {word: powers for powers, words in _SCALES.items() for word in words.split()}
_SCALE = re.compile(r"[\s-]?([千천万萬만億亿억]|[^\W\d_]+)\.?")

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
# fmt: on
_TIMES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORTH = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * at for at, word in enumerate(_TENS, 2)}
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNITS[1:10])}))?|{'|'.join(_UNITS)})"
_IN_WORDS = re.compile(
    rf"\b({_BELOW_HUNDRED})(\shundred(?:\s(?:and\s)?({_BELOW_HUNDRED}))?)?(?:\s(thousand|million|billion|trillion))?"
    rf"\b(?![ -](?:{'|'.join([*_WORTH, *_TIMES])})\b)",
    re.IGNORECASE,
)
_SMALL = 12
_ENGLISH = re.compile(r"\b(?:the|and|of|is|to|in)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number as it is written, and the values it may have: 1,500 is 1500 or, with a decimal comma, 1.500."""

    text: str
    values: frozenset[str]

    @property
    def is_small(self) -> bool:
        return any(value.isdecimal() and len(value) < 3 and int(value) <= _SMALL for value in self.values)


def missing_numbers(claim: str, texts: Sequence[str]) -> list[str]:
    """The numbers of ``claim``, as it writes them, that none of ``texts`` states.

    Numbers in words are read in English only, so one up to twelve is not missed where ``texts`` are in another language.
    """
    stated = frozenset[str]().union(*map(_stated, texts))
    missing = [figure for figure in _claimed(claim) if not figure.values & stated]
    if not _are_english(texts):
        missing = [figure for figure in missing if not figure.is_small]
    return list(dict.fromkeys(figure.text for figure in missing))


def _claimed(claim: str) -> Iterator[Number]:
    """The numbers ``claim`` answers for: not those of its place in a list, of names, ordinals and decades, nor small words."""
    text = _plain(_NUMBERED.sub("", _LIST_NUMBER.sub("", claim)))
    for start, end in _numbers(text):
        is_ordinal = _ORDINAL_OR_DECADE.match(text, end) or (end - start <= 2 and _DOTTED_ORDINAL.match(text, end))
        if not is_ordinal and not _is_in_a_name(text[:start]):
            yield _figure(text, start, end)
    for found in _IN_WORDS.finditer(text):
        figure = _figure_of(found)
        if not figure.is_small and not re.match(r"-\w", text[found.end() :]):  # twenty-first
            yield figure


@lru_cache(maxsize=256)  # many sentences cite the same passage
def _stated(text: str) -> frozenset[str]:
    """The values of every number of ``text``, in digits or in English words."""
    text = _plain(text)
    figures = [_figure(text, start, end) for start, end in _numbers(text)]
    figures += map(_figure_of, _IN_WORDS.finditer(text))
    return frozenset(value for figure in figures for value in figure.values)


def _are_english(texts: Sequence[str]) -> bool:
    return len({word.lower() for text in texts for word in _ENGLISH.findall(text)}) >= 3


def _plain(text: str) -> str:
    """``text`` with ASCII digits, fractions as decimals, without note marks and raised digits."""
    text = _RAISED.sub("", _NOTE_MARK.sub("", text))
    text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    text = _FRACTION.sub(lambda found: (found[1] or "0") + _FRACTIONS[found[2]], text)
    return _BARE_POINT.sub("0.", text)


def _is_in_a_name(before: str) -> bool:
    """Whether a number behind ``before`` belongs to a name, such as CO2 or F-16. Scripts without spaces have no such names."""
    last = before.removesuffix("-").removesuffix("‑")[-1:]
    return last.isalpha() and unicodedata.category(last) != "Lo"


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Where each number begins and ends; what only looks like one, such as a date, gives its parts."""
    for found in _NUMBER.finditer(text):
        if _readings(found[0]):
            yield found.span()
        else:
            yield from (part.span() for part in _DIGITS.finditer(text, *found.span()))


def _figure(text: str, start: int, end: int) -> Number:
    readings = _readings(text[start:end])
    powers, last = _powers(text, end)
    values = _scaled(readings, powers) if powers else readings
    if (joint := _RANGE.match(text, end)) and (other := _NUMBER.match(text, joint.end())):  # 2–3 million
        values += _scaled(readings, _powers(text, other.end())[0])
    if (first := _RANGE_BEFORE.search(text[:start])) and text[start:end].isdecimal():  # 1990–95
        values += [first[1][: start - end] + text[start:end]]
    return Number(text[start:last], frozenset(values))


def _readings(number: str) -> list[str]:
    """What the digits may mean; nothing where they are no number. A decimal reading of 1,500 keeps its noughts: it is not 1.5."""
    digits = re.sub(r"[^\d.,]", "", number)
    marks = re.findall(r"[.,]", digits)
    if not marks:
        return [_whole(digits)]
    front, _, rest = digits.rpartition(marks[-1])
    groups = re.split(r"[.,]", front)
    if any(len(group) not in (2, 3) for group in groups[1:]) or (groups[1:] and not 0 < len(groups[0]) < 4):
        return []
    if len(marks) == 1:
        is_group = len(rest) == 3 and len(front) < 4 and not front.startswith("0") and digits == number
        return [_whole(front + rest), f"{front}.{rest}"] if is_group else [_decimal(front, rest)]
    if len(set(marks)) == 1:
        return [_whole("".join(groups) + rest)] if len(rest) == 3 else []
    return [_decimal("".join(groups), rest)] if marks[-1] not in marks[:-1] else []


def _whole(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _decimal(whole: str, fraction: str) -> str:
    return f"{_whole(whole)}.{fraction}".rstrip("0").rstrip(".")


def _powers(text: str, at: int) -> tuple[set[int], int]:
    """The powers of ten that the words at ``at`` multiply a number by (9 for "mil millones"), and where these words end."""
    powers: set[int] = set()
    while (word := _SCALE.match(text, at)) and (more := _POWERS.get(word[1].lower())):
        powers = {power + other for power in powers or {0} for other in more}
        at = word.end(1)
    return powers, at


def _scaled(readings: list[str], powers: set[int]) -> list[str]:
    return [f"{Decimal(reading).scaleb(power):f}" for reading in readings for power in powers]


def _figure_of(words: re.Match[str]) -> Number:
    """What a number in English words is worth: "two hundred and fifty thousand", "twenty-five"."""
    value = _below_hundred(words[1])
    if words[2]:
        value = 100 * value + _below_hundred(words[3] or "zero")
    value *= _TIMES[words[4].lower()] if words[4] else 1
    return Number(words[0], frozenset([str(value)]))


def _below_hundred(words: str) -> int:
    return sum(_WORTH[word] for word in re.split(r"[\s-]", words.lower()))
