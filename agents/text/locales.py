"""Language tags: the entry of a table for a tag, and dates as a language writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TypeVar

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton

Value = TypeVar("Value")
Default = TypeVar("Default")

_TRADITIONAL = {"tw", "hk", "mo"}
_ISO_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?(?:T[\d:.+Z-]*)?")


def entry_for(language: str, table: Mapping[str, Value], default: Default) -> Value | Default:
    """The entry of the BCP 47 tag ``language``, or of the same language in general; ``default`` if there is none."""
    parts = language.lower().replace("_", "-").split("-")
    if parts[0] == "zh" and not {"hans", "hant"} & set(parts):
        parts.insert(1, "hant" if _TRADITIONAL & set(parts) else "hans")
    if parts[0] in ("no", "nn"):
        parts[0] = "nb"
    entries = {tag.lower(): value for tag, value in table.items()}
    tags = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    # "de-Latn-CH" is a "de-CH" as well
    return next((entries[tag] for tag in (*tags, f"{parts[0]}-{parts[-1]}", parts[0]) if tag in entries), default)


def long_date(stated: str, language: str) -> str:
    """An ISO 8601 date, month or year in the long form of ``language``; any other text unchanged."""
    found = _ISO_DATE.fullmatch(stated.strip())
    if found is None or not found["month"]:
        return found["year"] if found else stated.strip()
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"] or 1))
    except ValueError:
        return stated.strip()
    if found["day"]:
        return str(format_date(day, "long", locale_of(language)))
    return str(format_skeleton("yMMMM", day, locale=locale_of(language)))


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """The locale of a BCP 47 tag. English of no region writes the day first; unknown languages are taken for English."""
    for tag in (language, language.partition("-")[0]):
        if tag.lower() == "en":
            break
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en", "001")
