"""The address of a passage within its source: the page of a PDF, or the words of a web page."""

from __future__ import annotations

import re
from urllib.parse import quote

from agents.contract import Passage
from agents.text.reference_entries import page_link

EDGE_WORDS = 6
"""Words at the start and at the end of a passage by which a browser finds it."""

_LINE_MARK = re.compile(r"^(?:[#>*+•·|-]+|\d{1,3}[.)])\s+")


def passage_link(url: str, passage: Passage) -> str:
    """``url`` with the page of a PDF or with a text fragment; unchanged if it names a place already.

    A browser that does not find the words, because the page has changed, shows the page from its start.
    https://wicg.github.io/scroll-to-text-fragment/
    """
    if passage.page or not url or "#" in url:
        return page_link(url, passage.page)
    lines = [words for line in passage.text.splitlines() if (words := _LINE_MARK.sub("", line.strip()).split())]
    if not lines:
        return url
    if len(lines) == 1 and len(lines[0]) <= 2 * EDGE_WORDS:
        return f"{url}#:~:text={_encoded(lines[0])}"
    return f"{url}#:~:text={_encoded(lines[0][:EDGE_WORDS])},{_encoded(lines[-1][-EDGE_WORDS:])}"


def _encoded(words: list[str]) -> str:
    """A hyphen has a meaning of its own in a text fragment."""
    return quote(" ".join(words), safe="").replace("-", "%2D")
