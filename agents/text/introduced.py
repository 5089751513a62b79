"""What an edit brought into a sentence and none of its passages has: a date, a unit, a name.

Only what the edit introduced is looked at: what the sentence had before was judged then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from agents.text.date_phrases import Date, take_dates
from agents.text.evidence import stated_quantities
from agents.text.quantities import Quantity, parse_quantities

_NAME = re.compile(r"(?<=[\w,;)’'-]\s)[^\W\d_a-zß-öø-ÿ][\w’'-]{2,}")
NOUNS_ARE_CAPITALIZED = ("de", "lb")


def introduced_problem(now: str, was: str, passages: Sequence[str], language: str = "en") -> str:
    """A sentence about the first thing in ``now`` that neither ``was`` nor ``passages`` have; empty if code sees nothing."""
    text = " ".join(passages)
    for date in dates_of(now):
        if date not in dates_of(was) and not any(is_part_of(date, other) for other in dates_of(text)):
            return "It has a date that does not appear in the passages it cites."
    known = [quantity for passage in passages for quantity in stated_quantities(passage)]
    before = {str(quantity) for quantity in parse_quantities(was).quantities}
    for quantity in parse_quantities(now).quantities:
        if has_unit(quantity) and str(quantity) not in before and not is_stated(quantity, known):
            return f"The passages it cites do not give “{quantity.text.strip()}” in this unit."
    if language.split("-")[0] not in NOUNS_ARE_CAPITALIZED:
        lower = f"{was} {text}".casefold()
        for name in _NAME.findall(now):
            if re.sub(r"[’']s$", "", name).casefold() not in lower:
                return f"The name “{name}” does not appear in the passages it cites."
    return ""


def dates_of(text: str) -> list[Date]:
    return take_dates(text)[1]


def is_part_of(date: Date, other: Date) -> bool:
    """Whether ``other`` says all that ``date`` says: “May 2024” is part of “3 May 2024”."""
    return all(mine in (0, theirs) for mine, theirs in zip(parts_of(date), parts_of(other), strict=True))


def parts_of(date: Date) -> tuple[int, int, int]:
    """Year, month and day; 0 for what is not given."""
    return date.year, date.month, date.day


def has_unit(quantity: Quantity) -> bool:
    return bool(quantity.dimension) and not quantity.is_counted


def is_stated(quantity: Quantity, known: Iterable[Quantity]) -> bool:
    return any(
        (quantity.is_comparable(other) and not quantity.contradicts(other)) or quantity.is_conversion_of(other)
        for other in known
    )
