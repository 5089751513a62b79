"""Phrases in a form in which they can be found again, and counted."""

from __future__ import annotations

from functools import lru_cache

from agents.text.keyword_match import word_forms


@lru_cache(maxsize=8192)
def phrase(text: str) -> str:
    """``text`` as it is looked for in a :func:`searchable` one; empty where it has no words."""
    found = word_forms(text)
    return f" {'  '.join(found)} " if found else ""


def searchable(text: str) -> str:
    """``text`` in a form in which ``str.count`` finds whole words only, neighbours as well."""
    return f" {'  '.join(word_forms(text))} "
