"""Normalises text so that whole phrases can be found and counted with string methods."""

from __future__ import annotations

from functools import lru_cache

from agents.text.keyword_match import word_forms


@lru_cache(maxsize=8192)
def phrase(text: str) -> str:
    """``text`` as a pattern to look for in :func:`searchable` text; empty if it has no words."""
    found = word_forms(text)
    return f" {'  '.join(found)} " if found else ""


def searchable(text: str) -> str:
    """``text`` in a form in which ``str.count`` finds whole words only.

    Two spaces separate the words, so that a phrase that is repeated directly is counted twice.
    """
    return f" {'  '.join(word_forms(text))} "
