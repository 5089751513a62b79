"""Cuts a draft of several sections into its sections."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agents.text.cleanup import PARAGRAPH_BREAK
from agents.text.markdown import count_words
from agents.text.tokenizer import sentences

_SECTION = re.compile(r"^##[ \t]*(\d{1,2})[.):]?[ \t]*[^\n]*$", re.MULTILINE)


def sections_of(draft: str, count: int) -> list[str]:
    """The text below each heading ``## 3. Heading`` of ``draft``; empty for sections it does not have."""
    texts = [""] * count
    found = list(_SECTION.finditer(draft))
    bounds = [*(each.start() for each in found), len(draft)]
    for heading, end in zip(found, bounds[1:], strict=True):
        number = int(heading[1])
        if 1 <= number <= count and not texts[number - 1]:
            texts[number - 1] = draft[heading.end() : end].strip()
    return texts


def drafted_sections(draft: str, words: Mapping[int, int]) -> dict[int, str]:
    """The text of each section in ``words``, which are its planned words by number; empty for those that ``draft`` lacks.

    A draft without any heading is in the order of the plan: it is cut where the planned words of a section end.
    """
    if _SECTION.search(draft):
        texts = sections_of(draft, max(words))
        return {number: texts[number - 1] for number in words}
    units, separator = paragraphs(draft), PARAGRAPH_BREAK
    if len(units) < 2 * len(words):
        units, separator = [draft[start:end] for start, end in sentences(draft)], " "
    total, planned = sum(map(count_words, units)), sum(words.values())
    cut: dict[int, list[str]] = {number: [] for number in words}
    ends, due = [], 0
    for number, wanted in words.items():
        due += wanted
        ends.append((number, due * total / max(planned, 1)))
    before = 0
    for unit in units:
        length = count_words(unit)
        number = next((number for number, end in ends if before + length / 2 <= end), ends[-1][0])
        cut[number].append(unit)
        before += length
    return {number: separator.join(parts) for number, parts in cut.items()}


def paragraphs(draft: str) -> list[str]:
    """What stands between blank lines."""
    return [block.strip() for block in re.split(r"\n{2,}", draft) if block.strip()]
