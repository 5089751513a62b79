"""What readers have to know of a source before they believe it: interest and age."""

from __future__ import annotations

import re
from datetime import date

from agents.contract import Source

INTERESTS = {"advocacy": "it campaigns", "vendor": "it sells"}
OLD_SOURCE_YEARS = 5


def weaknesses(source: Source, today: date) -> list[str]:
    """Such as ``["it sells", "it is from 2012"]``."""
    found = [INTERESTS[source.kind]] if source.kind in INTERESTS else []
    year = re.match(r"\d{4}", source.date)
    if year and int(year[0]) <= today.year - OLD_SOURCE_YEARS:
        found.append(f"it is from {year[0]}")
    return found
