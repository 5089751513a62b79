"""Strips endings, so that forms of one word compare as equal in seven languages: rougher than a stemmer for one."""

from __future__ import annotations

import re
from functools import lru_cache

from agents.text.units import without_accents

_ENDINGS = re.compile(
    r"(?:ungen|ung|ing|eten|ete|est|en|er|em|es|ed|et|te|s|e|n|t|ado|ada|ido|ida|ato|ata|ati|uto|uta|ee|o|a|i)\Z"
)


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without accents, its ending and the ge- of a participle: gegründet and gründete, inaugurado and inauguró."""
    word = without_accents(word.lower())
    if word.startswith("ge") and len(word) > 7 and word.endswith(("t", "en")):
        word = word[2:]
    for _ in range(2):
        shorter = _ENDINGS.sub("", word)
        word = shorter if len(shorter) >= 3 else word
    return word
