"""Dates in sentences of seven languages, as precise as they are given."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agents.text.units import without_accents

_MONTH_NAMES = (
    "january januar jänner janvier enero gennaio januari janeiro", "february februar février febrero febbraio februari fevereiro",
    "march märz mars marzo maart março", "april avril abril aprile", "may mai mayo maggio mei maio",
    "june juni juin junio giugno junho", "july juli juillet julio luglio julho", "august août agosto augustus",
    "september septembre septiembre settembre setembro", "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro", "december dezember décembre diciembre dicembre dezembro",
)  # fmt: skip
_MONTHS = {
    spelling: number
    for number, names in enumerate(_MONTH_NAMES, 1)
    for name in names.split()
    for spelling in (name, without_accents(name))
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR = r"(?P<year>1[5-9]\d\d|20\d\d)(?!\d|[.,]\d)"
_OF = r"(?:of\s|de\s|del\s|d['’])?"
_MONTH_ALONE = re.compile(rf"\b(?P<name>{_MONTH})\b(?:,?\s{_OF}{_YEAR})?", re.IGNORECASE)
_FORMS = (
    re.compile(r"\b(?P<year>1[5-9]\d\d|20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b"),
    re.compile(r"\b(?P<day>\d{1,2})(?P<sign>[./-])\s?(?P<month>\d{1,2})(?P=sign)\s?(?P<year>1[5-9]\d\d|20\d\d)\b"),
    re.compile(
        rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?\s{_OF}(?P<name>{_MONTH})\b(?:,?\s{_OF}{_YEAR})?", re.IGNORECASE
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH})\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?![\d,.]*\d)(?:,?\s{_YEAR})?", re.IGNORECASE
    ),
    _MONTH_ALONE,
    re.compile(rf"(?<![\d.,€$£-])\b{_YEAR}(?!\s?(?:%|€|\$|euros?\b|dollars?\b|kg\b|km\b))", re.IGNORECASE),
)
_BEFORE_MONTH = re.compile(r"\b(?:en|in|em|a|à|de|di|du|op|sinds|depuis|desde|dal|al|nel|fin|début)\s\Z", re.IGNORECASE)


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


def take_dates(text: str) -> tuple[str, list[Date]]:
    """``text`` with ``~`` for each date, and the dates."""
    dates = list[Date]()
    for form in _FORMS:
        for found in reversed(list(form.finditer(text))):
            if form is not _MONTH_ALONE or _is_month(text, found):
                dates.append(_date(found))
                text = f"{text[: found.start()]}~{text[found.end() :]}"
    return text, dates


def _is_month(text: str, found: re.Match[str]) -> bool:
    """Whether a month's name is one: "may" is also a verb, "march" a walk. Romance languages write months in lower case."""
    if found["name"][:1].isupper():
        return found["name"] not in ("May", "March", "Mars") or found.start() > 0
    if found["name"].lower() in ("may", "march"):
        return False
    return found["year"] is not None or _BEFORE_MONTH.search(text[: found.start()]) is not None


def _date(found: re.Match[str]) -> Date:
    parts = found.groupdict()
    month = _MONTHS[parts["name"].lower()] if parts.get("name") else int(parts.get("month") or 0)
    day = int(parts.get("day") or 0)
    if parts.get("sign") == "/" and day <= 12:  # day or month first: it cannot be said which
        return Date(int(parts["year"]), month if month == day else 0, day if month == day else 0)
    if month > 12:
        month, day = day, month
    return Date(int(parts.get("year") or 0), month, day)
