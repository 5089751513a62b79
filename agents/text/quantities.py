"""Figures with their units, and dates, in sentences of seven languages: normalised so that they can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from agents.text.date_phrases import Date, take_dates
from agents.text.number_words import rewrite_number_words
from agents.text.numbers import Number, located_numbers
from agents.text.stemming import stem
from agents.text.units import NO_UNIT, TIME, Unit, divisor_at, noun_at, rewrite_units, unit_at, unit_named

_JOINT = re.compile(
    r"-?\s?(?:%|€|[^\W\d_]{1,12})?\s?(?:to|bis|–|-|and|und|à|et|a|y|e|tot|en)\s[€$£]?\Z|[–-]\Z", re.IGNORECASE
)
_OF = r"(?:\s(?:the|of|à|de|a|di|los|las|van))?\s[€$£]?\Z"
_LOW = re.compile(
    r"(?:\b(?:at least|more than|over|above|exceeds|minimum of|mindestens|mehr als|über|wenigstens|plus de|au moins|minimum"
    r"|supérieure? à|más de|al menos|por lo menos|como mínimo|più di|oltre|almeno|meer dan|minstens|ten minste|mais de"
    r"|pelo menos|acima de|no mínimo)|[>≥])" + _OF,
    re.IGNORECASE,
)
_HIGH = re.compile(
    r"(?:\b(?:at most|less than|fewer than|under|below|up to|höchstens|maximal|weniger als|unter|bis zu|moins de|au plus"
    r"|jusqu['’]à|maximum|menos de|como máximo|hasta|meno di|al massimo|fino a|minder dan|hooguit|hoogstens|maximaal"
    r"|no máximo|até)|[<≤])" + _OF,
    re.IGNORECASE,
)
_ROUGH = re.compile(
    r"\b(?:about|around|roughly|some|nearly|almost|approximately|rund|etwa|circa|ca\.|knapp|gut|fast|environ|quelque|près"
    r"|unos|unas|alrededor|cerca|casi|aproximadamente|quasi|intorno|ongeveer|zo['’]n|bijna|ruim|quase)" + _OF,
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"\b(?:by|um|met)\s(?:\w+\s)?[€$£]?\Z"
    r"|\b(?:augment|hauss|baiss|recul|progress|diminu|chut|grimp|aument|disminu|baj|cay|redu|sal[iy]|calat|cresc|cai|subi)\w*\s"
    r"(?:(?:de|d['’]|del|en|un|em|do|di|in|cerca)\s?){1,2}[€$£]?\Z",
    re.IGNORECASE,
)
_SHARE_OF = re.compile(r"\sof\b")  # supported by 48 % of the respondents
_QUALIFIED_BEFORE = re.compile(r"(?:[<>≥≤=±]|\b(?:aged|CI|BMI))\s?\Z")
_QUALIFIED_AFTER = re.compile(r"[ -]?(?:years?[ -]olds?\b|jährig)|\s?%\s(?:CI|KI)\b|-(?=[^\W\d_])", re.IGNORECASE)
_NAME_BEFORE = re.compile(
    r"(?:\b(?:version|line|no\.|nr\.|linie|chapter|phase|stage|level|class|type|section|article|paragraph|table|model|page|seite"
    r"|artikel|absatz|kapitel|stufe)|(?<=[^.!?:\s] )(?-i:[A-Z])[^\W\d_]+|^(?:The|Der|Die|Das)\s(?-i:[A-Z])\w+)\s\Z",
    re.IGNORECASE,
)
ROUGH_SHARE, ROUNDING_SHARE = 0.05, 0.015
"""Values within 5 % are the same if one is said to be rough; within 1.5 % they may have been rounded."""
_WORD = re.compile(r"[^\W\d_][\w’'-]*")
MAX_DIGITS = 300  # of a number; Python refuses to convert very long ones
CONVERSION_SHARE = 0.03
"""By how much a figure that was converted to another unit may be rounded."""


@dataclass(frozen=True)
class Quantity:
    """A figure: its possible intervals in the units of ``dimension``, which is the noun for something counted.

    ``per`` is the unit it is divided by. A change ("by 3 %") is not a level ("to 3 %"). A qualifier says what a sentence is
    about ("16-year-olds", "losses ≥ 5 %"), not how much something is.
    """

    text: str
    intervals: tuple[tuple[float, float], ...]
    dimension: str
    per: str = ""
    is_counted: bool = False
    is_change: bool = False
    is_qualifier: bool = False
    unit: Unit = NO_UNIT
    nouns: frozenset[str] = frozenset()

    @property
    def bound(self) -> str:
        low, high = self.intervals[0]
        return "low" if high == float("inf") else "high" if low == float("-inf") else ""

    @property
    def is_range(self) -> bool:
        return "–" in self.text

    def contradicts(self, other: Quantity) -> bool:
        """Whether no reading of this figure is compatible with one of the other's. Both must be comparable.

        Two limits of the same kind ("at most 5", "up to 7") are compared as figures.
        """
        bounded = self.bound if self.bound == other.bound else ""
        return not any(_overlap(one, another, bounded) for one in self.intervals for another in other.intervals)

    def is_comparable(self, other: Quantity) -> bool:
        if self.is_change != other.is_change or self.is_counted != other.is_counted:
            return False
        if self.is_counted:  # "2,300 registered nurses" and "1,900 nurses"
            return stem(self.dimension) in other.nouns or stem(other.dimension) in self.nouns
        same_unit = self.dimension == other.dimension or {self.dimension, other.dimension} in (
            {"cent", "EUR"},
            {"cent", "USD"},
        )
        return same_unit and (not self.per or not other.per or self.per == other.per)

    def is_conversion_of(self, other: Quantity) -> bool:
        """Whether both give about the same amount of the same physical dimension in different units, as 0.9 kg and 2 lb do."""
        if self.is_counted or other.is_counted or not self.dimension or self.unit.name == other.unit.name:
            return False
        if (self.dimension, self.per) != (other.dimension, other.per):
            return False
        if self.is_range or other.is_range:
            return any(_is_near(one, another) for one in self.intervals for another in other.intervals)
        middles = [[sum(each) / 2 for each in quantity.intervals] for quantity in (self, other)]
        return any(_is_near((one, one), (another, another)) for one in middles[0] for another in middles[1])

    def __str__(self) -> str:
        low, high = self.intervals[-1]
        value = f"{(low + high) / 2:,.4g}" if abs(high) < 1000 else f"{(low + high) / 2:,.0f}"
        if high == float("inf") or low == float("-inf"):
            value = f"at least {low:,.6g}" if high == float("inf") else f"at most {high:,.6g}"
        per = f"/{self.per}" if self.per else ""
        return f"{value} {self.dimension}{per}".strip()


def _is_near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether both ends are nearly the same."""
    return all(
        abs(end - other_end) <= CONVERSION_SHARE * max(abs(end), abs(other_end))
        for end, other_end in zip(one, other, strict=True)
    )


def _overlap(one: tuple[float, float], other: tuple[float, float], bound: str) -> bool:
    if bound:
        one_limit, other_limit = (one[0], other[0]) if bound == "low" else (one[1], other[1])
        return abs(one_limit - other_limit) <= ROUNDING_SHARE * max(abs(one_limit), abs(other_limit))
    return one[0] <= other[1] and other[0] <= one[1]


@dataclass
class Parsed:
    """A sentence with its figures and dates; ``template`` has ``#0#`` for each figure and nothing for a date."""

    template: str = ""
    quantities: list[Quantity] = field(default_factory=list)
    dates: list[Date] = field(default_factory=list)


def parse_quantities(sentence: str) -> Parsed:
    parsed = Parsed()
    text, parsed.dates = take_dates(sentence)
    text = rewrite_number_words(rewrite_units(text))
    normalized, located = located_numbers(text, words=True)
    parts, at, previous = list[str](), 0, -1
    for place, (start, end, number) in enumerate(located):
        if start < at or _is_part_of_name(normalized, start, end):
            continue
        quantity, end = _quantity(normalized, start, end, number)
        between = normalized[at:start]
        is_range = bool(parsed.quantities) and place - 1 == previous and _JOINT.match(between)
        previous = place
        if (
            is_range
            and (last := parsed.quantities[-1])
            and (not last.dimension or last.dimension == quantity.dimension or between.strip("- ") == last.dimension)
        ):
            parsed.quantities[-1] = _joined(last, quantity)
            at = end
            continue
        parts += [between, f"#{len(parsed.quantities)}#"]
        parsed.quantities.append(quantity)
        at = end
    parsed.template = "".join([*parts, normalized[at:]])
    return parsed


def _is_part_of_name(text: str, start: int, end: int) -> bool:
    """Whether the number is that of "Alpha 10" or "version 3.11"."""
    is_short = re.fullmatch(r"\d{1,3}(?:\.\d{1,2})*", text[start:end]) is not None
    return is_short and not unit_at(text, end)[0].dimension and _NAME_BEFORE.search(text[:start][-40:]) is not None


def _quantity(text: str, start: int, end: int, number: Number) -> tuple[Quantity, int]:
    before, last = text[:start], max(end, start + len(number.text))
    if text[last - 1].isalpha() and text.startswith(". ", last):
        last += 1  # 310 Mio. Euro
    unit, stop = unit_at(text, last)
    if not unit.dimension:
        unit, stop = unit_at(text, end)  # "5 m" is no five million
    if sign := re.search(r"([€$£])\s?\Z", before):
        unit, stop = unit_named(sign[1]), last
    dimension, is_counted = unit.dimension, False
    if not dimension and (noun := noun_at(text, last)):
        dimension, is_counted = noun, True  # the word stays in the sentence
    per, per_end = divisor_at(text, stop) if unit.dimension else (NO_UNIT, stop)
    divisor = per.factor if per.dimension not in TIME else 1.0  # a yearly sum is not always twelve monthly ones
    negative = re.search(r"(?:(?<![\w\d])[-−]|\bminus\s)\Z", before) is not None
    intervals = tuple(
        _interval(-float(value) if negative else float(value), number, before, unit.factor / divisor, unit.offset)
        for value in sorted(number.values, key=float)
    )
    quantity = Quantity(
        text[start : stop if unit.dimension else last].strip(),
        intervals,
        dimension,
        per.name if per.dimension in TIME else per.dimension,
        is_counted,
        is_change=not is_counted and _CHANGE.search(before) is not None and not _SHARE_OF.match(text, stop),
        is_qualifier=_is_qualifier(text, start, end, unit),
        unit=unit,
        nouns=frozenset(stem(word) for word in _WORD.findall(text[last : last + 60])[:2])
        if is_counted
        else frozenset(),
    )
    return quantity, per_end if per.dimension else stop if unit.dimension else last


def _is_qualifier(text: str, start: int, end: int, unit: Unit) -> bool:
    if _QUALIFIED_BEFORE.search(text[max(start - 8, 0) : start]):
        return True
    is_measure = unit.dimension != "" and unit.dimension not in TIME  # a 22-mile path, but not a 12-month trial
    return not is_measure and _QUALIFIED_AFTER.match(text, end) is not None


def _interval(value: float, number: Number, before: str, factor: float, offset: float) -> tuple[float, float]:
    digits = re.sub(r"\D", "", number.text)
    step = abs(value) / int(digits) if 0 < len(digits) < MAX_DIGITS and int(digits) else 1.0
    margin = max(step / 2, abs(value) * (ROUGH_SHARE if _ROUGH.search(before) else ROUNDING_SHARE))
    if "." not in number.text and "," not in number.text and abs(value) >= 13 and step <= 1:
        margin = abs(value) * (ROUGH_SHARE if _ROUGH.search(before) else ROUNDING_SHARE)
    low, high = value - margin, value + margin
    if _LOW.search(before):
        high = float("inf")
    elif _HIGH.search(before):
        low = float("-inf")
    return low * factor + offset, high * factor + offset


def _joined(one: Quantity, other: Quantity) -> Quantity:
    """The range "95 to 180 kg". The first number may have no unit of its own."""
    factor = other.unit.factor if one.unit.dimension != other.unit.dimension else 1.0
    intervals = tuple(
        (min(low * factor, low_2), max(high * factor, high_2))
        for (low, high), (low_2, high_2) in zip(one.intervals, other.intervals, strict=False)
    )
    is_qualifier = one.is_qualifier or other.is_qualifier
    return replace(other, text=f"{one.text}–{other.text}", intervals=intervals, is_qualifier=is_qualifier)
