"""Pandoc's syntax tree, made safe and made good.

Safe: no raw code, no picture, no link but to the web or a mailbox. Good: headings from level 1 without gaps, and a note that is
mentioned again keeps its one number, where pandoc would repeat it under a new one.

The shapes are those of pandoc-types: ``{"t": constructor, "c": contents}``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from agents.text.markdown import leveled

Node = dict[str, Any]

SAFE_ADDRESS = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
PLAIN: list[Any] = ["", [], []]  # an element's attributes: no id, no class, no key


def text(words: str) -> Node:
    return {"t": "Str", "c": words}


def raw(format: str, code: str) -> Node:
    return {"t": "RawInline", "c": [format, code]}


def sanitized(node: Any) -> Any:
    """The tree with everything replaced that could run, read or reach for something."""
    if isinstance(node, list):
        return [sanitized(item) for item in node if not is_empty_heading(item)]
    if not isinstance(node, dict):
        return node
    replace = _REPLACE.get(str(node.get("t")))
    return replace(node) if replace else {key: sanitized(value) for key, value in node.items()}


def is_empty_heading(node: Any) -> bool:
    """A heading nobody could read or hear: PDF/UA forbids it, and the page drops it, too."""
    return isinstance(node, dict) and node.get("t") == "Header" and not _has_words(node["c"][2])


def _has_words(node: Any) -> bool:
    if isinstance(node, dict):
        return node.get("t") in ("Str", "Code") or _has_words(node.get("c"))
    return isinstance(node, list) and any(_has_words(item) for item in node)


def _code_as_text(node: Node) -> Node:
    """HTML in the text is shown as it was typed, as on the page."""
    words = text(str(node["c"][1]))
    return words if node["t"] == "RawInline" else {"t": "Para", "c": [words]}


def _picture_as_text(node: Node) -> Node:
    return {"t": "Emph", "c": sanitized(node["c"][1])}


def _safe_link(node: Node) -> Node:
    _, words, (address, title) = node["c"]
    if SAFE_ADDRESS.match(address):
        return {"t": "Link", "c": [PLAIN, sanitized(words) or [text(address)], [address, title]]}
    return {"t": "Span", "c": [PLAIN, sanitized(words)]}


_REPLACE: dict[str, Callable[[Node], Node]] = {
    "RawInline": _code_as_text,
    "RawBlock": _code_as_text,
    "Image": _picture_as_text,
    "Link": _safe_link,
}


def headings(node: Any) -> Iterator[Node]:
    """The headings in their order, those within quotes and lists, too."""
    if isinstance(node, dict):
        if node.get("t") == "Header":
            yield node
        else:
            yield from headings(node.get("c"))
    elif isinstance(node, list):
        for item in node:
            yield from headings(item)


def level_headings(blocks: list[Node]) -> None:
    """Bring the headings, in place, to levels that begin at 1 and never skip one, as PDF/UA and screen readers need."""
    found = list(headings(blocks))
    for heading, level in zip(found, leveled([heading["c"][0] for heading in found], top=1), strict=True):
        heading["c"][0] = level


class Notes:
    """Numbers the notes of a tree by first mention, and writes each mention as ``first`` and ``again`` say.

    ``first(number, note)`` gives the nodes of a note's first mention, ``again(number)`` those of a later one.
    """

    def __init__(self, first: Callable[[int, Node], list[Node]], again: Callable[[int], list[Node]]) -> None:
        self.first, self.again = first, again
        self.numbers: dict[str, int] = {}

    def numbered(self, node: Any) -> Any:
        if isinstance(node, dict):
            return {key: self.numbered(value) for key, value in node.items()}
        if not isinstance(node, list):
            return node
        return [part for item in node for part in self._parts(item)]

    def _parts(self, item: Any) -> list[Any]:
        if not (isinstance(item, dict) and item.get("t") == "Note"):
            return [self.numbered(item)]
        content = json.dumps(item)
        if content in self.numbers:
            return list(self.again(self.numbers[content]))
        number = self.numbers[content] = len(self.numbers) + 1
        return list(self.first(number, item))
