"""Sanitises pandoc's syntax tree and prepares it for export.

Removes raw code, images, and links other than http, https and mailto. Levels headings from 1 without gaps. Numbers footnotes so
that repeated references share one number, where pandoc would repeat the footnote.

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
NO_ATTRIBUTES: list[Any] = ["", [], []]  # id, classes, key–value pairs


def text(content: str) -> Node:
    return {"t": "Str", "c": content}


def raw(format: str, code: str) -> Node:
    return {"t": "RawInline", "c": [format, code]}


def sanitized(node: Any) -> Any:
    """The tree without anything that could run code, read a file or load an address."""
    if isinstance(node, list):
        return [sanitized(item) for item in node if not is_empty_heading(item)]
    if not isinstance(node, dict):
        return node
    replace = _REPLACE.get(str(node.get("t")))
    return replace(node) if replace else {key: sanitized(value) for key, value in node.items()}


def is_empty_heading(node: Any) -> bool:
    """Empty headings are dropped as on the page: PDF/UA forbids them."""
    return isinstance(node, dict) and node.get("t") == "Header" and not _has_text(node["c"][2])


def _has_text(node: Any) -> bool:
    if isinstance(node, dict):
        return node.get("t") in ("Str", "Code") or _has_text(node.get("c"))
    return isinstance(node, list) and any(_has_text(item) for item in node)


def _code_as_text(node: Node) -> Node:
    """Raw HTML is shown as text, as on the page."""
    words = text(str(node["c"][1]))
    return words if node["t"] == "RawInline" else {"t": "Para", "c": [words]}


def _image_as_alt_text(node: Node) -> Node:
    return {"t": "Emph", "c": sanitized(node["c"][1])}


def _safe_link(node: Node) -> Node:
    _, words, (address, title) = node["c"]
    if SAFE_ADDRESS.match(address):
        return {"t": "Link", "c": [NO_ATTRIBUTES, sanitized(words) or [text(address)], [address, title]]}
    return {"t": "Span", "c": [NO_ATTRIBUTES, sanitized(words)]}


_REPLACE: dict[str, Callable[[Node], Node]] = {
    "RawInline": _code_as_text,
    "RawBlock": _code_as_text,
    "Image": _image_as_alt_text,
    "Link": _safe_link,
}


def headings(node: Any) -> Iterator[Node]:
    """All headings in order, also those in quotations and lists."""
    if isinstance(node, dict):
        if node.get("t") == "Header":
            yield node
        else:
            yield from headings(node.get("c"))
    elif isinstance(node, list):
        for item in node:
            yield from headings(item)


def level_headings(blocks: list[Node]) -> None:
    """Changes the levels in place so that they start at 1 without gaps, as PDF/UA and screen readers require."""
    found = list(headings(blocks))
    for heading, level in zip(found, leveled([heading["c"][0] for heading in found], top=1), strict=True):
        heading["c"][0] = level


class Footnotes:
    """Numbers the footnotes of a tree in the order of their first reference; ``contents`` has the blocks of each.

    ``first(number, footnote)`` returns the nodes of the first reference, ``repeated(number)`` those of a later one.
    """

    def __init__(self, first: Callable[[int, Node], list[Node]], repeated: Callable[[int], list[Node]]) -> None:
        self.first, self.repeated = first, repeated
        self.numbers: dict[str, int] = {}
        self.contents: list[list[Node]] = []

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
            return list(self.repeated(self.numbers[content]))
        number = self.numbers[content] = len(self.numbers) + 1
        self.contents.append(item["c"])
        return list(self.first(number, item))
