"""Numbers in running text, and whether other texts state the same ones, in whatever notation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from agents.text.syntax import SOURCE_NOTE

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
_NUMBERED = re.compile(r"\(\d{1,2}\)")  # (1) first, (2) second
_FRACTION = re.compile("(\\d?)([½¼¾])")
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹₀-₉]+")
_BARE_POINT = re.compile(r"(?<![\w.,])\.(?=\d)")

# The power of ten a word multiplies by: several if languages differ ("billion") or a letter may also be a unit (5 m).
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
_MULTIPLIERS = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORD_VALUES = {word: value for value, word in enumerate(_UNITS)} | {word: 10 * at for at, word in enumerate(_TENS, 2)}
_BELOW_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_UNITS[1:10])}))?|{'|'.join(_UNITS)})"
_IN_WORDS = re.compile(
    rf"\b({_BELOW_HUNDRED})(\shundred(?:\s(?:and\s)?({_BELOW_HUNDRED}))?)?(?:\s(thousand|million|billion|trillion))?"
    rf"\b(?![ -](?:{'|'.join([*_WORD_VALUES, *_MULTIPLIERS])})\b)",
    re.IGNORECASE,
)
_MAX_SMALL = 12
_ENGLISH = re.compile(r"\b(?:the|and|of|is|to|in)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number as written, and its possible values: 1,500 is 1500 or, with a decimal comma, 1.500."""

    text: str
    values: frozenset[str]

    @property
    def is_small(self) -> bool:
        return any(value.isdecimal() and len(value) < 3 and int(value) <= _MAX_SMALL for value in self.values)


def missing_numbers(claim: str, texts: Sequence[str], also: Collection[str] = ()) -> list[str]:
    """The numbers of ``claim``, as written, that none of ``texts`` states and whose value is not in ``also``.

    Numbers in words are recognised in English only, so those up to twelve are ignored if ``texts`` are in another language.
    """
    stated = frozenset(also).union(*map(stated_values, texts))
    missing = [number for number in claimed_numbers(claim) if not number.values & stated]
    if not _are_english(texts):
        missing = [number for number in missing if not number.is_small]
    return list(dict.fromkeys(number.text for number in missing))


def claimed_numbers(claim: str) -> Iterator[Number]:
    """The numbers that are part of the claim: no list numbers, names, ordinals, decades, or small numbers in words."""
    text = _normalized(_NUMBERED.sub("", _LIST_NUMBER.sub("", claim)))
    for start, end in _number_spans(text):
        is_ordinal = _ORDINAL_OR_DECADE.match(text, end) or (end - start <= 2 and _DOTTED_ORDINAL.match(text, end))
        if not is_ordinal and not _is_in_a_name(text[:start]):
            yield _from_digits(text, start, end)
    for found in _IN_WORDS.finditer(text):
        number = _from_words(found)
        if not number.is_small and not re.match(r"-\w", text[found.end() :]):  # twenty-first
            yield number


def located_numbers(text: str, *, words: bool = False) -> tuple[str, list[tuple[int, int, Number]]]:
    """``text`` with its digits normalized, and the start and end in it of each number that is not part of a name.

    The end is that of the digits, before "million". With ``words``, English numbers in words above twelve are included.
    """
    text = _normalized(text)
    spans = [span for span in _number_spans(text) if not _is_in_a_name(text[: span[0]])]
    located = [(start, end, _from_digits(text, start, end)) for start, end in spans]
    if words:
        in_words = ((*found.span(), _from_words(found)) for found in _IN_WORDS.finditer(text))
        located = sorted([*located, *(each for each in in_words if not each[2].is_small)], key=lambda each: each[0])
    return text, located


def known_values(texts: Iterable[str]) -> frozenset[str]:
    """The possible values of every number that any of ``texts`` states."""
    return frozenset[str]().union(*map(stated_values, texts))


def changes_of_ratios(values: Iterable[str]) -> frozenset[str]:
    """The percentages by which ratios between 0 and 2 differ from 1: 22 for a hazard ratio of 0.78, 15 for 1.15."""
    ratios = (Decimal(value) for value in values if re.fullmatch(r"[01]\.\d{1,3}", value))
    return frozenset(f"{(abs(1 - ratio) * 100).normalize():f}" for ratio in ratios if ratio != 1)


@lru_cache(maxsize=256)  # many sentences cite the same passage
def stated_values(text: str) -> frozenset[str]:
    """The possible values of every number of ``text``, in digits or in English words."""
    text = _normalized(text)
    numbers = [_from_digits(text, start, end) for start, end in _number_spans(text)]
    numbers += map(_from_words, _IN_WORDS.finditer(text))
    return frozenset(value for number in numbers for value in number.values)


def _are_english(texts: Sequence[str]) -> bool:
    return len({word.lower() for text in texts for word in _ENGLISH.findall(text)}) >= 3


def _normalized(text: str) -> str:
    """``text`` with ASCII digits, fractions as decimals, without note marks and superscripts."""
    text = _SUPERSCRIPTS.sub("", SOURCE_NOTE.sub("", text))
    text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    text = _FRACTION.sub(lambda found: (found[1] or "0") + _FRACTIONS[found[2]], text)
    return _BARE_POINT.sub("0.", text)


def _is_in_a_name(before: str) -> bool:
    """Whether a number after ``before`` belongs to a name, such as CO2 or F-16. Scripts without case have no such names."""
    last = before.removesuffix("-").removesuffix("‑")[-1:]
    return last.isalpha() and unicodedata.category(last) != "Lo"


def _number_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each number; something that only looks like one, such as a date, is split into its parts."""
    for found in _NUMBER.finditer(text):
        if _values(found[0]):
            yield found.span()
        else:
            yield from (part.span() for part in _DIGITS.finditer(text, *found.span()))


def _from_digits(text: str, start: int, end: int) -> Number:
    unscaled = _values(text[start:end])
    powers, last = _powers(text, end)
    values = _scaled(unscaled, powers) if powers else unscaled
    if (joint := _RANGE.match(text, end)) and (other := _NUMBER.match(text, joint.end())):  # 2–3 million
        values += _scaled(unscaled, _powers(text, other.end())[0])
    if (first := _RANGE_BEFORE.search(text[:start])) and text[start:end].isdecimal():  # 1990–95
        values += [first[1][: start - end] + text[start:end]]
    return Number(text[start:last], frozenset(values))


def _values(number: str) -> list[str]:
    """The possible values of the digits; none if they are not a number. 1,500 as a decimal stays 1.500: it is not 1.5."""
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
    """The powers of ten that the words at ``at`` multiply by (9 for "mil millones"), and where these words end."""
    powers: set[int] = set()
    while (word := _SCALE.match(text, at)) and (more := _POWERS.get(word[1].lower())):
        powers = {power + other for power in powers or {0} for other in more}
        at = word.end(1)
    return powers, at


def _scaled(values: list[str], powers: set[int]) -> list[str]:
    return [f"{Decimal(value).scaleb(power):f}" for value in values for power in powers]


def _from_words(words: re.Match[str]) -> Number:
    """A number in English words, such as "two hundred and fifty thousand" or "twenty-five"."""
    value = _below_hundred(words[1])
    if words[2]:
        value = 100 * value + _below_hundred(words[3] or "zero")
    value *= _MULTIPLIERS[words[4].lower()] if words[4] else 1
    return Number(words[0], frozenset([str(value)]))


def _below_hundred(words: str) -> int:
    return sum(_WORD_VALUES[word] for word in re.split(r"[\s-]", words.lower()))
