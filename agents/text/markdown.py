"""What of a Markdown text is prose, and what is code.

Only blocks are parsed, by markdown-it; spans in backticks are found within their block. Line breaks come out as ``\\n``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_blocks = MarkdownIt("commonmark", {"html": False}).disable("inline")
_inline = MarkdownIt("commonmark", {"html": False})

_CODE_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)(?:.*?[^`])\1(?!`)", re.DOTALL)

LINE_OPENING = re.compile(r"(?:[ \t>]|[*+-][ \t]|[0-9]{1,9}[.)][ \t]|#{1,6}[ \t])*")
"""What makes a line a quotation, an item of a list or a heading."""


def parse_blocks(text: str) -> list[Token]:
    return _blocks.parse(text)


def visible_text(line: str) -> str:
    """``line``, a part of a paragraph, as a reader sees it: on one line, without emphasis, link targets and escapes."""
    parts = _inline.parseInline(line)[0].children or []
    return " ".join(
        "".join(
            part.content if part.type in ("text", "code_inline") else " " * part.type.endswith("break")
            for part in parts
        ).split()
    )


def map_prose(text: str, change: Callable[[str], str]) -> str:
    return "".join(piece if is_code else change(piece) for piece, is_code in split_code(text))


def split_code(text: str) -> Iterator[tuple[str, bool]]:
    """``text`` in pieces, each with whether it is code: a block of it, a span in backticks, the target of a link."""
    for block, kind in split_blocks(text, {"fence", "code_block", "inline"}):
        if kind == "inline":  # a span in backticks never reaches beyond its block
            yield from _spans(block)
        else:
            yield block, True


def split_blocks(text: str, kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """``text`` in stretches of whole lines: each block whose token is in ``kinds``, and, as kind "", what lies between."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", re.sub(r"\r\n?", "\n", text))
    at = 0
    for kind, start, end in _where_blocks_stand(text):
        if kind not in kinds:
            continue
        if start > at:
            yield "".join(lines[at:start]), ""
        yield "".join(lines[start:end]), kind
        at = end
    if at < len(lines):
        yield "".join(lines[at:]), ""


@lru_cache(maxsize=32)  # a section that is being written is asked about a dozen times
def _where_blocks_stand(text: str) -> tuple[tuple[str, int, int], ...]:
    """The type of each block's token, the line it begins in, and the one after it."""
    return tuple((token.type, token.map[0], token.map[1]) for token in parse_blocks(text) if token.map is not None)


def _spans(block: str) -> Iterator[tuple[str, bool]]:
    at = 0
    for span in _CODE_SPAN.finditer(block):
        yield block[at : span.start()], False
        yield span[0], True
        at = span.end()
    yield block[at:], False
