"""Cuts Markdown into blocks (paragraphs, headings, list items, table rows, footnotes) and these into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from agents.text.syntax import FOOTNOTE_DEFINITION
from agents.text.tokenizer import sentences

Kind = Literal["text", "heading", "item", "quote", "row", "code", "note"]

HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t#]*$")
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("heading", HEADING),
    ("item", re.compile(r"[ \t]*(?:[*+-]|\d{1,9}[.)])[ \t]")),
    ("quote", re.compile(r" {0,3}>")),
    ("row", re.compile(r" {0,3}\|")),
    ("note", FOOTNOTE_DEFINITION),
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LINE = re.compile(r"[^\n]*\n?")


@dataclass(frozen=True)
class Unit:
    """A sentence; or a whole heading, table row, block of code or footnote. ``start`` and ``end`` are its place in the text.

    ``section`` is the heading of its section; empty in the introduction. ``opens_block``: it is the first of its block.
    """

    text: str
    start: int
    end: int
    kind: Kind
    section: str
    opens_block: bool

    @cached_property
    def key(self) -> str:
        """What is compared: the text without differences in white space."""
        return " ".join(self.text.split())


@dataclass(frozen=True)
class Block:
    """``first`` and ``last`` are the indexes of its units, ``last`` exclusive."""

    kind: Kind
    first: int
    last: int


class Units:
    """The units of a Markdown text with the white space between them."""

    def __init__(self, markdown: str) -> None:
        self.all: list[Unit] = []
        self.blocks: list[Block] = []
        section = ""
        for kind, start, end in blocks_of(markdown):
            if kind == "heading" and (heading := HEADING.match(markdown, start, end)) and len(heading[1]) <= 2:
                section = heading[2]
            first = len(self.all)
            for at, finish in spans(markdown, kind, start, end):
                self.all.append(
                    Unit(markdown[at:finish], at, finish, kind, section, opens_block=len(self.all) == first)
                )
            self.blocks.append(Block(kind, first, len(self.all)))
        self.opening = markdown[: self.all[0].start] if self.all else markdown
        following = [*(unit.start for unit in self.all[1:]), *([len(markdown)] if self.all else [])]
        self.gaps = [markdown[unit.end : start] for unit, start in zip(self.all, following, strict=True)]
        """The white space behind each unit."""

    def text(self, first: int, last: int) -> str:
        """The units from ``first`` to before ``last``, with the space between them but not behind the last."""
        parts = [part for index in range(first, last) for part in (self.all[index].text, self.gaps[index])]
        return "".join(parts[:-1])

    def place(self, block: int) -> int:
        """The index of the first unit of a block, or behind the last unit."""
        return self.blocks[block].first if block < len(self.blocks) else len(self.all)

    def key(self, block: Block) -> tuple[str, ...]:
        return tuple(unit.key for unit in self.all[block.first : block.last])


def blocks_of(markdown: str) -> Iterator[tuple[Kind, int, int]]:
    """Kind, start and end of each block."""
    kind: Kind = "text"
    start, end, fence = -1, 0, ""
    for line in _LINE.finditer(markdown):
        content_end = line.start() + len(line[0].rstrip())
        opening = _FENCE.match(line[0])
        if fence:
            end = max(end, content_end)
            if opening and opening[1].startswith(fence) and not line[0].strip().strip(fence[0]):
                yield "code", start, end
                start, fence = -1, ""
            continue
        found: Kind | None = "code" if opening else kind_of(markdown, line.start(), content_end)
        if start >= 0 and (content_end == line.start() or found or kind in ("heading", "row")):
            yield kind, start, end
            start = -1
        if content_end > line.start():
            kind, start = (found or "text", line.start()) if start < 0 else (kind, start)
            end, fence = content_end, opening[1] if opening else ""
    if start >= 0:
        yield "code" if fence else kind, start, end


def kind_of(markdown: str, start: int, end: int) -> Kind | None:
    """What a line begins; None if it continues a paragraph or begins one."""
    return next((kind for kind, opening in _KINDS if opening.match(markdown, start, end)), None)


def spans(markdown: str, kind: Kind, start: int, end: int) -> list[tuple[int, int]]:
    """Start and end of the units of a block. The first includes the indentation and the marker of a list item."""
    if kind not in ("text", "item", "quote"):
        return [(start, end)]
    on_one_line = markdown[start:end].replace("\n", " ")  # a line break within a paragraph ends no sentence
    found = [(start + at, start + finish) for at, finish in sentences(on_one_line)]
    return [(start, found[0][1]), *found[1:]] if found else [(start, end)]
