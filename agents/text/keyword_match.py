"""Words in a form in which they can be found again: without case, without a plural's s."""

from __future__ import annotations

import re
from functools import lru_cache

from agents.text.tokenizer import CJK, LETTERS, UNSPACED

WORD = re.compile(f"[{CJK}{UNSPACED}]|{LETTERS}")
STEM_LETTERS = (
    6  # letters by which two forms of a word are told to be one; stands in for stemming in every language that inflects
)


def word_forms(text: str) -> list[str]:
    """The words of ``text`` as they are compared. Each sign of scripts without spaces is one."""
    return [without_plural_s(word) for word in WORD.findall(text.casefold())]


def mentions(text: str, keyword: str) -> bool:
    """Whether each longer word of ``keyword`` is in ``text``, in this form or another, in any order."""
    wanted = word_forms(keyword)
    stems = {word[:STEM_LETTERS] for word in word_forms(text)}
    return bool(wanted) and all(
        word[:STEM_LETTERS] in stems for word in [word for word in wanted if len(word) > 2] or wanted
    )


@lru_cache(maxsize=8192)
def without_plural_s(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
