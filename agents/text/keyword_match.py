"""Words in a form in which they can be found again: without case, without a plural's s."""

from __future__ import annotations

import re
from functools import lru_cache

from agents.text.tokenizer import CJK, LETTERS, UNSPACED

WORD = re.compile(f"[{CJK}{UNSPACED}]|{LETTERS}")
STEM = (
    6  # letters by which two forms of a word are told to be one; stands in for stemming in every language that inflects
)


def forms(text: str) -> list[str]:
    """The words of ``text`` as they are compared. Each sign of scripts without spaces is one."""
    return [singular(word) for word in WORD.findall(text.casefold())]


def speaks_of(text: str, keyword: str) -> bool:
    """Whether each longer word of ``keyword`` is in ``text``, in this form or another, in any order."""
    wanted = forms(keyword)
    stems = {word[:STEM] for word in forms(text)}
    return bool(wanted) and all(word[:STEM] in stems for word in [word for word in wanted if len(word) > 2] or wanted)


@lru_cache(maxsize=8192)
def singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
