"""Cuts a draft of the whole article into its sections."""

from __future__ import annotations

import re

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
