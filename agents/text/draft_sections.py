"""Cuts a draft into its title, its introduction and its sections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count

from agents.text.cleanup import PARAGRAPH_BREAK
from agents.text.markdown import count_words
from agents.text.tokenizer import sentences

_TITLE = re.compile(r"\A\s*#[ \t]+([^\n]+)")
_BEFORE_HEADING = re.compile(r"^##[ \t]*(?:\d{1,2}[.):][ \t]+)?(?=[^\s#])", re.MULTILINE)
_SECTION = re.compile(r"^##[ \t]*(\d{1,2})(?!\d)[.):]?[ \t]*([^\n]*)$", re.MULTILINE)


def opening_of(draft: str) -> tuple[str, str]:
    """The title and the introduction, which stand above the first heading of a section; each is empty if there is none."""
    first = _SECTION.search(draft)
    above = draft[: first.start()] if first else ""
    title = _TITLE.match(above)
    return (title[1].strip(), above[title.end() :].strip()) if title else ("", above.strip())


def headings_of(draft: str) -> dict[int, str]:
    """The headings of the sections by number."""
    return {int(found[1]): found[2].strip() for found in reversed(list(_SECTION.finditer(draft)))}


def numbered(draft: str, first: int = 1) -> str:
    """``draft`` with its headings numbered in order: ``## Costs`` becomes ``## 2. Costs``."""
    numbers = count(first)
    return _BEFORE_HEADING.sub(lambda _: f"## {next(numbers)}. ", draft)


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


def with_headings(draft: str, planned: Mapping[int, tuple[str, int]], opening: int = 0) -> str:
    """``draft`` with a numbered heading above each section; ``planned`` are headings and words of its sections by number.

    As many headings without numbers are numbered. A draft without any heading is in the order of the plan: it is cut where the
    planned words of a section end, below a title and an introduction of ``opening`` words if there is a title.
    """
    if _SECTION.search(draft):
        return draft
    if len(_BEFORE_HEADING.findall(draft)) == len(planned):
        return numbered(draft, next(iter(planned)))
    title = _TITLE.match(draft) if opening else None
    words = [*([opening] if title else []), *(words for _, words in planned.values())]
    texts = cut_by_words(draft[title.end() :].strip() if title else draft, words)
    above = [f"# {title[1].strip()}", texts.pop(0)] if title else []
    pairs = zip(planned.items(), texts, strict=True)
    return PARAGRAPH_BREAK.join(
        [*above, *(f"## {number}. {heading}{PARAGRAPH_BREAK}{text}" for (number, (heading, _)), text in pairs)]
    )


def cut_by_words(draft: str, words: Sequence[int]) -> list[str]:
    """``draft`` in parts whose lengths are in proportion to ``words``: whole paragraphs, or sentences if there are few."""
    units, separator = paragraphs(draft), PARAGRAPH_BREAK
    if len(units) < 2 * len(words):
        units, separator = [draft[start:end] for start, end in sentences(draft)], " "
    total, planned = sum(map(count_words, units)), max(sum(words), 1)
    ends = [sum(words[: place + 1]) * total / planned for place in range(len(words))]
    parts: list[list[str]] = [[] for _ in words]
    before = 0
    for unit in units:
        length = count_words(unit)
        place = next((place for place, end in enumerate(ends) if before + length / 2 <= end), len(words) - 1)
        parts[place].append(unit)
        before += length
    return [separator.join(part) for part in parts]


def paragraphs(draft: str) -> list[str]:
    """What stands between blank lines."""
    return [block.strip() for block in re.split(r"\n{2,}", draft) if block.strip()]
