"""Keyword matching that ignores case, plurals and inflected endings."""

from __future__ import annotations

import re
from functools import lru_cache

from agents.text.tokenizer import CJK, LETTERS, UNSPACED

WORD = re.compile(f"[{CJK}{UNSPACED}]|{LETTERS}")
STEM_LETTERS = 6
"""Two words that agree in so many letters are forms of one: stands in for stemming in every language that inflects."""


def word_forms(text: str) -> list[str]:
    """The words of ``text`` for comparison. In scripts without spaces each character is a word."""
    return [without_plural_s(word) for word in WORD.findall(text.casefold())]


def mentions(text: str, keyword: str) -> bool:
    """Whether ``text`` contains each longer word of ``keyword``, in any form and any order."""
    words = word_forms(keyword)
    wanted = [word for word in words if len(word) > 2] or words
    stems = {word[:STEM_LETTERS] for word in word_forms(text)}
    return bool(words) and all(word[:STEM_LETTERS] in stems for word in wanted)


@lru_cache(maxsize=8192)
def without_plural_s(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
