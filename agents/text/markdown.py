"""Markdown: its blocks, what of it is prose and what code, the text a reader sees, and the number of its words.

Most functions parse blocks only, with markdown-it; code spans are found within their block. Line breaks come out as ``\\n``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from agents.text.syntax import CITATION_MARK, FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE
from agents.text.tokenizer import count_plain_words

MAX_CHARACTERS = 200_000
MAX_MARKS = 30_000
"""Longer texts, and texts with more ``[ ] * _ ~`` than this, are taken as plain text: each mark costs the parser about 40 µs.

The worst input takes about 2 s. An article of 5,000 words has 35,000 characters and some 1,000 marks.
"""

_blocks = MarkdownIt("commonmark", {"html": False}).disable("inline")
_inline = MarkdownIt("commonmark", {"html": False})
_full = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    .enable(["table", "strikethrough"])
    .use(footnote_plugin, inline=False)
)

_CODE_SPAN = re.compile(r"(?<![\\`])(`+)(?!`)(?:.*?[^`])\1(?!`)", re.DOTALL)

LINE_OPENING = re.compile(r"(?:[ \t>]|[*+-][ \t]|[0-9]{1,9}[.)][ \t]|#{1,6}[ \t])*")
"""The markers of a quotation, a list item or a heading at the start of a line."""


def is_too_large(markdown: str) -> bool:
    return len(markdown) > MAX_CHARACTERS or sum(map(markdown.count, "[]*_~")) > MAX_MARKS


def plain_text(markdown: str) -> str:
    """The text a reader sees, a blank line between blocks: no markup, link targets, pictures or footnotes."""
    if is_too_large(markdown):
        return markdown
    texts = []
    for token in _full.parse(markdown):
        if token.type == "footnote_block_open":  # the parser puts footnotes last
            break
        if text := block_text(token).strip():
            texts.append(text)
    return "\n\n".join(texts)


@lru_cache(maxsize=64)  # a section is counted several times while it is brought to its length
def count_words(markdown: str) -> int:
    """Words a reader sees. Citation marks and footnotes are not counted; in Chinese and Japanese each character counts."""
    return count_plain_words(CITATION_MARK.sub("", plain_text(markdown)))


def block_text(token: Token) -> str:
    """The text of a block without its markup; empty for tokens that only open or close one."""
    if token.type in ("fence", "code_block"):
        return token.content
    return "".join(
        part.content if part.type in ("text", "code_inline") else " " if part.type.endswith("break") else ""
        for part in token.children or []
    )


def visible_text(line: str) -> str:
    """The text a reader sees of ``line``, which is part of a paragraph, on one line."""
    return " ".join(block_text(_inline.parseInline(line)[0]).split())


def paragraphs(markdown: str) -> Iterator[str]:
    """The text of each top-level paragraph."""
    for opening, inline in pairwise(_inline.parse(markdown)):
        if opening.type == "paragraph_open" and opening.level == 0:
            yield block_text(inline)


def parse_blocks(text: str) -> list[Token]:
    return _blocks.parse(text)


def leveled(written: Sequence[int], *, top: int) -> list[int]:
    """Heading levels that begin at ``top`` and never skip one, as screen readers and PDF/UA need. Nesting is kept."""
    levels: list[int] = []
    enclosing: list[tuple[int, int]] = []  # (level written, level given) of the headings around the next one
    for level in written:
        while enclosing and enclosing[-1][0] >= level:
            enclosing.pop()
        given = enclosing[-1][1] + 1 if enclosing else top
        enclosing.append((level, given))
        levels.append(given)
    return levels


def strip_footnotes(markdown: str) -> str:
    """``markdown`` without footnotes: neither their definitions nor the references to them. Code is left alone."""
    # Not at indented code: the parser takes the indented lines of a definition for it.
    blocks = split_blocks(markdown, {"fence"})
    text = "".join(block if is_code else FOOTNOTE_DEFINITION.sub("", block) for block, is_code in blocks)
    return map_prose(text, lambda prose: FOOTNOTE_REFERENCE.sub("", prose))


def map_prose(text: str, change: Callable[[str], str]) -> str:
    return "".join(piece if is_code else change(piece) for piece, is_code in split_code(text))


def split_code(text: str) -> Iterator[tuple[str, bool]]:
    """``text`` in pieces, each with whether it is code: a block or a span of code."""
    for block, kind in split_blocks(text, {"fence", "code_block", "inline"}):
        if kind != "inline":
            yield block, True
            continue
        at = 0
        for span in _CODE_SPAN.finditer(block):  # a code span never reaches beyond its block
            yield block[at : span.start()], False
            yield span[0], True
            at = span.end()
        yield block[at:], False


def mask_code(block: str) -> str:
    """``block``, which is no code block, with each of its code spans replaced by as many letters."""
    return _CODE_SPAN.sub(lambda span: "x" * len(span[0]), block)


def split_blocks(text: str, kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """``text`` in runs of whole lines: each block whose token is in ``kinds``, and, as kind "", what lies between."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", re.sub(r"\r\n?", "\n", text))
    at = 0
    for kind, start, end in _block_lines(text):
        if kind not in kinds:
            continue
        if start > at:
            yield "".join(lines[at:start]), ""
        yield "".join(lines[start:end]), kind
        at = end
    if at < len(lines):
        yield "".join(lines[at:]), ""


@lru_cache(maxsize=32)  # about a dozen questions are asked about a section that is being written
def _block_lines(text: str) -> tuple[tuple[str, int, int], ...]:
    """The type of each block's token, its first line, and the line after its last one."""
    return tuple((token.type, token.map[0], token.map[1]) for token in parse_blocks(text) if token.map is not None)
