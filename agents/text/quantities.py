"""Figures with their units, and dates, in sentences of English and German: normalised so that they can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agents.text.numbers import Number, located_numbers

# Dimension → the spellings of its units, in singular, and their factors.
_SPELLINGS: dict[str, dict[str, float]] = {
    "%": {"% percent prozent": 1},
    "points": {"points punkte prozentpunkte": 1},
    "m": {"km kilometre kilometer kilometern": 1000, "m metre meter metern": 1, "cm centimetre centimeter zentimeter": 0.01,
          "mm millimetre millimeter": 0.001, "mi mile meile meilen": 1609.344, "ft foot feet": 0.3048},
    "kg": {"kg kilo kilogramm kilogram kilogramme": 1, "t tonne ton tonnen": 1000, "g gramm gram gramme": 0.001,
           "lb lbs pound pounds": 0.4536},
    "l": {"l liter litre litern": 1, "ml milliliter millilitre": 0.001},
    "kWh": {"kwh kilowattstunde kilowattstunden kilowatt-hour": 1, "mwh": 1000, "gwh": 1e6, "twh": 1e9, "wh": 0.001},
    "kW": {"kw kilowatt": 1, "mw megawatt": 1000, "gw gigawatt": 1e6, "w watt": 0.001},
    "EUR": {"€ eur euro": 1, "eurocent": 0.01}, "USD": {"$ usd dollar dollars us-dollar": 1},
    "GBP": {"£ gbp": 1}, "CHF": {"chf franken": 1}, "cent": {"cent ct": 0.01},
    "m²": {"m² m2 square-metre square-meter quadratmeter quadratmetern": 1, "ha hectare hektar": 10000},
    "m³": {"m³ m3 cubic-metre cubic-meter kubikmeter": 1},
    "year": {"year jahr jahre jahren": 1}, "hour": {"hour h stunde stunden": 1}, "minute": {"minute minuten": 1},
    "day": {"day tag tage tagen": 1}, "month": {"month monat monate monaten": 1},
    "°C": {"°c celsius": 1},
}  # fmt: skip
_UNITS: dict[str, tuple[str, float, float]] = {
    name: (dimension, factor, 0.0)
    for dimension, names in _SPELLINGS.items()
    for spellings, factor in names.items()
    for name in spellings.split()
}
"""Unit → its dimension, and the factor and the offset that make it comparable."""

_UNITS |= dict.fromkeys(("°f", "fahrenheit"), ("°C", 5 / 9, -160 / 9))

_MONTH_NAMES = (
    "january|januar|jänner", "february|februar", "march|märz", "april", "may|mai", "june|juni", "july|juli", "august",
    "september", "october|oktober", "november", "december|dezember",
)  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split("|")}
_MONTH = "|".join(_MONTHS)
_YEAR = r"(?P<year>1[5-9]\d\d|20\d\d)(?!\d|[.,]\d)"
_DATES = (
    re.compile(r"\b(?P<year>1[5-9]\d\d|20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(r"\b(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>1[5-9]\d\d|20\d\d)\b"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s(?:of\s)?(?P<name>{_MONTH})\b(?:,?\s{_YEAR})?", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![\d,.]*\d)(?:,?\s{_YEAR})?", re.IGNORECASE
    ),
    re.compile(rf"\b(?P<name>{_MONTH})\b(?:,?\s{_YEAR})?", re.IGNORECASE),
    re.compile(rf"(?<![\d.,€$£-])\b{_YEAR}(?!\s?(?:%|€|\$|euros?\b|dollars?\b|kg\b|km\b))", re.IGNORECASE),
)
_SCALE_WORD = re.compile(
    r"\s?(?:hundred|thousand|million|billion|trillion|millions|billions|tausend|tsd|mio|millionen|mrd|milliarden|bn|k|m)\b\.?",
    re.IGNORECASE,
)
_UNIT_WORD = re.compile(
    r"\s?-?(per\s?cent|(?:square|cubic)[ -]\w+|°\s?[CF]\b|Grad\s\w+|degrees\s\w+|[%€$£°]|[^\W\d_][\w²³-]*)",
    re.IGNORECASE,
)
_PER = re.compile(r"\s?(?:per|a|an|je|pro|im|/)\s?((?:square|cubic)[ -]\w+|[^\W\d_][\w²³]*)", re.IGNORECASE)
_JOINT = re.compile(r"\s?(?:%|€|[^\W\d_]{1,12})?\s?(?:to|bis|–|-|and|und)\s[€$£]?\Z|[–-]\Z")
_LOW = re.compile(
    r"(?:at least|more than|over|above|exceeds|mindestens|mehr als|über|minimum of)\s(?:the\s)?[€$£]?\Z", re.IGNORECASE
)
_HIGH = re.compile(
    r"(?:at most|less than|fewer than|under|below|up to|höchstens|maximal|weniger als|unter|bis zu)\s[€$£]?\Z",
    re.IGNORECASE,
)
_ROUGH = re.compile(
    r"(?:about|around|roughly|some|nearly|almost|approximately|rund|etwa|circa|ca\.|knapp|gut|fast)\s[€$£]?\Z",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"\b(?:by|um)\s(?:\w+\s)?[€$£]?\Z", re.IGNORECASE)
_NAME_BEFORE = re.compile(
    r"(?:\b(?:version|line|no\.|nr\.|linie|chapter|phase|stage|level|class|type|section|article|paragraph|table|model|page|seite"
    r"|artikel|absatz|kapitel|stufe)|(?<=[^.!?:\s] )(?-i:[A-Z])[^\W\d_]+|^(?:The|Der|Die|Das)\s(?-i:[A-Z])\w+)\s\Z",
    re.IGNORECASE,
)
ROUGH_SHARE, ROUNDING_SHARE = 0.05, 0.015
"""Values within 5 % are the same if one is said to be rough; within 1.5 % they may have been rounded."""
MAX_DIGITS = 300  # of a number; Python refuses to convert very long ones
CONVERSION_SHARE = 0.03
"""By how much a figure that was converted to another unit may be rounded."""


_ENDINGS = re.compile(r"(?:ungen|ung|ing|eten|ete|est|en|er|em|es|ed|et|te|s|e|n|t)\Z")


def stem(word: str) -> str:
    """A word without its ending and the ge- of a participle, for comparison: gegründet and gründete, opened and opens."""
    word = word.lower()
    if word.startswith("ge") and len(word) > 7 and word.endswith(("t", "en")):
        word = word[2:]
    for _ in range(2):
        shorter = _ENDINGS.sub("", word)
        word = shorter if len(shorter) >= 3 else word
    return word


@dataclass(frozen=True)
class Date:
    """A date as precise as it is given; 0 for what is not."""

    year: int
    month: int = 0
    day: int = 0

    def contradicts(self, other: Date) -> bool:
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return any(one and two and one != two for one, two in pairs)

    def __str__(self) -> str:
        return "-".join(f"{part:02}" for part in (self.year, self.month, self.day) if part)


@dataclass(frozen=True)
class Quantity:
    """A figure: its possible intervals in the units of ``dimension``, which is the noun for something counted.

    ``per`` is the unit it is divided by; ``unit`` are factor and offset of the unit it is given in. A change ("by 3 %") is not a
    level ("to 3 %").
    """

    text: str
    intervals: tuple[tuple[float, float], ...]
    dimension: str
    per: str = ""
    is_counted: bool = False
    is_change: bool = False
    unit: tuple[float, float] = (1.0, 0.0)

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
        if self.is_counted and other.is_counted and self.is_change == other.is_change:
            return stem(self.dimension) == stem(other.dimension)
        same_unit = self.dimension == other.dimension or {self.dimension, other.dimension} in (
            {"cent", "EUR"},
            {"cent", "USD"},
        )
        same_per = not self.per or not other.per or self.per == other.per
        return same_unit and same_per and self.is_change == other.is_change and self.is_counted == other.is_counted

    def is_conversion_of(self, other: Quantity) -> bool:
        """Whether both give about the same amount of the same physical dimension in different units, as 0.9 kg and 2 lb do."""
        if self.is_counted or other.is_counted or not self.dimension or self.unit == other.unit:
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
    text = sentence
    for pattern in _DATES:
        for found in reversed(list(pattern.finditer(text))):
            if pattern is _DATES[4] and not _is_month(text, found):
                continue
            parsed.dates.append(_date(found))
            text = f"{text[: found.start()]}~{text[found.end() :]}"
    text = text.replace("m²", "square metre").replace("m³", "cubic metre")  # superscripts of numbers are removed
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
            and (not last.dimension or last.dimension == quantity.dimension or last.is_counted)
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
    return is_short and not _unit_at(text, end)[0] and _NAME_BEFORE.search(text[:start][-40:]) is not None


def _is_month(text: str, found: re.Match[str]) -> bool:
    """Whether a month's name is one: "may" is also a verb, "march" a walk."""
    return found["name"][:1].isupper() and (found["name"] not in ("May", "March") or found.start() > 0)


def _date(found: re.Match[str]) -> Date:
    parts = found.groupdict()
    month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts.get("month") or 0)
    return Date(int(parts.get("year") or 0), month, int(parts.get("day") or 0))


def _unit_at(text: str, at: int) -> tuple[str, int]:
    """The known unit at ``at``, and where it ends; empty if there is none."""
    scale = _SCALE_WORD.match(text, at)
    at = scale.end() if scale and scale[0].strip() not in ("m", "k") else at
    found = _UNIT_WORD.match(text, at)
    if not found:
        return "", at
    name = _unit_name(found[1])
    return (name, found.end()) if name else ("", at)


def _unit_name(words: str) -> str:
    """The key of ``_UNITS`` that ``words`` spell, in singular or plural."""
    name = re.sub(r"^(?:grad|degrees)\s", "", words.lower()).replace("per cent", "percent").replace("° ", "°")
    name = re.sub(r"(square|cubic)[ -]", r"\1-", name)
    return next((each for each in (name, name.removesuffix("s"), name.removesuffix("es")) if each in _UNITS), "")


def _quantity(text: str, start: int, end: int, number: Number) -> tuple[Quantity, int]:
    before, last = text[:start], max(end, start + len(number.text))
    name, stop = _unit_at(text, end)
    if not name and (sign := re.search(r"([€$£])\s?\Z", before)):
        name = sign[1]
    dimension, factor, offset = _UNITS.get(name, ("", 1.0, 0.0))
    is_counted = False
    if not dimension and (noun := _UNIT_WORD.match(text, last)) and text[last : last + 1] == " ":
        dimension, is_counted = noun[1].lower(), True  # the word stays in the sentence
    per = _PER.match(text, stop) if name else None
    per_name = _UNITS.get(_unit_name(per[1]), ("",))[0] if per else ""
    negative = re.search(r"(?:(?<![\w\d])[-−]|\bminus\s)\Z", before) is not None
    intervals = tuple(
        _interval(-float(value) if negative else float(value), number, before, factor, offset)
        for value in sorted(number.values, key=float)
    )
    shown = text[start : stop if name else last].strip()
    is_change = _CHANGE.search(before) is not None
    quantity = Quantity(shown, intervals, dimension, per_name, is_counted, is_change, (factor, offset))
    return quantity, per.end() if per and per_name else stop if name else last


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
    """The range "95 to 180 kg". The first number has no unit of its own."""
    scale = 1.0
    if other.dimension in ("m", "kg") and one.dimension != other.dimension:
        factor = _UNITS.get(_unit_name(other.text.split()[-1]), ("", 1.0, 0.0))[1]
        scale = factor
    intervals = tuple(
        (min(low * scale, low_2), max(high * scale, high_2))
        for (low, high), (low_2, high_2) in zip(one.intervals, other.intervals, strict=False)
    )
    return Quantity(
        f"{one.text}–{other.text}",
        intervals,
        other.dimension,
        other.per,
        other.is_counted,
        other.is_change,
        other.unit,
    )
