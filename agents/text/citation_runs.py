"""Merges the footnotes of consecutive sentences that cite the same sources: one mark at the end of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt

from agents.text.markdown import LINE_OPENING, mask_code
from agents.text.syntax import CLOSERS, NUMBERED_FOOTNOTES
from agents.text.tokenizer import sentences

_PARAGRAPHS = MarkdownIt("commonmark", {"html": False}).enable("table").disable("inline")
_NOTES = re.compile(NUMBERED_FOOTNOTES)
_AT_END = re.compile(rf"(?P<notes>{NUMBERED_FOOTNOTES})[*_{CLOSERS}]*\s*\Z")
_EMPHASIS_END = re.compile(r"[*_]+(?=\s)")


def merge_runs(markdown: str) -> str:
    """``markdown``, whose footnotes are numbers, without those that the next sentence of the paragraph repeats.

    A run never goes beyond its paragraph or list item, nor beyond a sentence that cites nothing or cites within. Tables and
    headings are left alone.
    """
    lines = markdown.split("\n")
    for first, end in _paragraph_lines(markdown):
        paragraph = "\n".join(lines[first:end])
        if len(_NOTES.findall(paragraph)) > 1:
            lines[first:end] = _merged(paragraph).split("\n")
    return "\n".join(lines)


def _paragraph_lines(markdown: str) -> Iterator[tuple[int, int]]:
    for token in _PARAGRAPHS.parse(markdown):
        if token.type == "paragraph_open" and token.map:
            yield token.map[0], token.map[1]


def _merged(paragraph: str) -> str:
    """A paragraph without repeated footnotes. The number of its lines stays."""
    masked = mask_code(paragraph)
    kept: list[str] = []
    at = 0
    above: tuple[str, int, int] | None = None  # the footnotes that end the sentence before, and their place
    for start, end in _sentences(masked):
        found = _AT_END.search(masked, start, end)
        if found is None or _NOTES.search(masked, start, found.start("notes")):
            above = None
            continue
        if above and above[0] == found["notes"] and not _would_begin_a_list(paragraph, above[1]):
            kept.append(paragraph[at : above[1]])
            at = above[2]
        above = (found["notes"], *found.span("notes"))
    return "".join((*kept, paragraph[at:]))


def _would_begin_a_list(paragraph: str, at: int) -> bool:
    """Whether the line before ``at`` is only "1.", which needs its footnote to be text."""
    before = paragraph[max(at - 40, 0) : at].rpartition("\n")[2]
    return LINE_OPENING.fullmatch(before + " ") is not None


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence. A line break within a paragraph ends none, and emphasis may close behind a stop."""
    flat = _EMPHASIS_END.sub(lambda marks: " " * len(marks[0]), text.replace("\n", " "))
    return iter(sentences(flat))
