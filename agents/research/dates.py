"""Reads a date that a document states, in English or German."""

from __future__ import annotations

import re
from datetime import date

_ENGLISH = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_GERMAN = [
    "januar",
    "februar",
    "märz",
    "april",
    "mai",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "dezember",
]
_MONTHS = {name: number for names in (_ENGLISH, _GERMAN) for number, name in enumerate(names, 1)}
_MONTHS |= {name[:3]: number for number, name in enumerate(_ENGLISH, 1)}

_FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)(T[\d:.+Z-]+)?)?)?",
        r"(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})",
        r"((?P<day>\d{1,2})\.?\s)?(?P<name>[a-zä]{3,9})\.?\s(?P<year>\d{4})",
        r"(?P<name>[a-z]{3,9})\.?\s(?P<day>\d{1,2}),\s(?P<year>\d{4})",
    )
]


def iso_date(text: str) -> str:
    """``text`` as an ISO 8601 date, month or year; empty if it is anything else, or ambiguous such as ``05/06/2024``."""
    for form in _FORMS:
        if found := form.fullmatch(text.strip()):
            parts = found.groupdict()
            month = _MONTHS.get((parts.get("name") or "").casefold()) or int(parts.get("month") or 0)
            if parts.get("name") and not month:
                return ""
            numbers = [int(parts["year"]), month, int(parts.get("day") or 0)]
            return _joined([number for number in numbers if number])
    return ""


def _joined(numbers: list[int]) -> str:
    """Empty if there is no such day."""
    try:
        whole = date(*numbers, *[1] * (3 - len(numbers))).isoformat()
    except ValueError:
        return ""
    return whole[: (4, 7, 10)[len(numbers) - 1]]
