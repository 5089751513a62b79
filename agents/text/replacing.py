"""Replaces a quoted stretch of a Markdown text, also if the quotation is not exact: models drop a word now and then."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from agents.text.tokenizer import sentences

MAX_FIND = 2000
MIN_WORDS = 2
"""A shorter quotation has to stand in the text exactly as it is."""

MIN_SIMILAR_WORDS = 8
SIMILAR, ANOTHER = 0.93, 0.8
"""How alike sentences have to be to a quotation of them, and how alike no other sentences may be."""

_ONE_MARK = r"\[[Ss]\s?[0-9]{1,5}(?:\s?[,;–-]\s?[Ss]?\s?[0-9]{1,5})*\]"
_MARK = rf"(?:\s?{_ONE_MARK})*"


def replaced(text: str, find: str, put: str) -> str | None:
    """``text`` with the only occurrence of ``find`` replaced by ``put``; None if there is none, or if there are several.

    White space and citation marks may differ, and in whole sentences also a word. A line break at either end of ``put`` begins
    a paragraph.
    """
    find, put = find.strip(), with_paragraph_breaks(put)
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
    if len(found) > 1:
        return None
    span = found[0].span() if found else similar_sentences(text, find) if len(words) >= MIN_SIMILAR_WORDS else None
    return joined(text, *span, put) if span else None


def with_paragraph_breaks(put: str) -> str:
    words = put.strip()
    if not words:
        return ""
    before, after = put[: len(put) - len(put.lstrip())], put[len(put.rstrip()) :]
    return "\n\n" * ("\n" in before) + words + "\n\n" * ("\n" in after)


def similar_sentences(text: str, find: str) -> tuple[int, int] | None:
    """Start and end of the sentences of ``text`` that ``find`` quotes with a small mistake; None if that is not certain."""
    spans, count = sentences(text), len(sentences(find))
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(bare(find))
    found = []
    for first in range(len(spans)):
        for last in range(first + max(count - 2, 0), min(first + count + 1, len(spans))):
            start, end = spans[first][0], spans[last][1]
            matcher.set_seq1(bare(text[start:end]))
            if matcher.quick_ratio() >= ANOTHER:
                found.append((matcher.ratio(), start, end))
    found.sort(reverse=True)
    if not found or found[0][0] < SIMILAR or [ratio for ratio, _, _ in found].count(found[0][0]) > 1:
        return None
    _, start, end = found[0]
    others = [ratio for ratio, begin, finish in found if finish <= start or begin >= end]
    return None if others and max(others) >= ANOTHER else (start, end)


def bare(text: str) -> list[str]:
    """The words of ``text`` without its marks: long repetitive texts take seconds to compare by characters."""
    return re.sub(_ONE_MARK, " ", text).split()


def _word(word: str) -> str:
    """``word`` with a mark allowed before its final punctuation."""
    stem = word.rstrip(".,;:!?…")
    return re.escape(stem) + _MARK + re.escape(word[len(stem) :]) if stem != word else re.escape(word)


def joined(text: str, start: int, end: int, put: str) -> str:
    """``text`` with ``put`` in place of ``text[start:end]``, and without the space or the empty line a deletion leaves."""
    before, after = text[:start], text[end:]
    if put:
        return re.sub(r"\n{3,}", "\n\n", f"{before}{put}{after}").strip()
    before, after = before.rstrip(" "), after.lstrip(" ")
    is_apart = not before or before.endswith("\n") or not after or after[0] in "\n.,;:!?"
    return re.sub(r"\n{3,}", "\n\n", before + after if is_apart else f"{before} {after}").strip()
