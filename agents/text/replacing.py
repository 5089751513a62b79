"""Replaces a quoted stretch of a Markdown text, also if the quotation differs in white space or citation marks."""

from __future__ import annotations

import re

MAX_FIND = 2000
MIN_WORDS = 2
"""A shorter quotation has to stand in the text exactly as it is."""

_ONE_MARK = r"\[[Ss]\s?[0-9]{1,5}(?:\s?[,;–-]\s?[Ss]?\s?[0-9]{1,5})*\]"
_MARK = rf"(?:\s?{_ONE_MARK})*"


def replaced(text: str, find: str, put: str) -> str | None:
    """``text`` with the only occurrence of ``find`` replaced by ``put``; None if there is none, or if there are several."""
    find, put = find.strip(), put.strip()
    if not find or len(find) > MAX_FIND:
        return None
    if text.count(find) == 1:
        start = text.index(find)
        return joined(text, start, start + len(find), put)
    if text.count(find) > 1:
        return None
    words = re.sub(_ONE_MARK, " ", find).split()
    if len(words) < MIN_WORDS:
        return None
    pattern = re.compile(rf"{_MARK}\s+".join(map(_word, words)))
    found = list(pattern.finditer(text))
    return joined(text, *found[0].span(), put) if len(found) == 1 else None


def _word(word: str) -> str:
    """``word`` with a mark allowed before its final punctuation."""
    stem = word.rstrip(".,;:!?…")
    return re.escape(stem) + _MARK + re.escape(word[len(stem) :]) if stem != word else re.escape(word)


def joined(text: str, start: int, end: int, put: str) -> str:
    """``text`` with ``put`` in place of ``text[start:end]``, and without the space or the empty line a deletion leaves."""
    before, after = text[:start], text[end:]
    if put:
        return before + put + after
    before, after = before.rstrip(" "), after.lstrip(" ")
    is_apart = not before or before.endswith("\n") or not after or after[0] in "\n.,;:!?"
    return re.sub(r"\n{3,}", "\n\n", before + after if is_apart else f"{before} {after}").strip()
