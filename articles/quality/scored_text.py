"""What is scored: a finished text in Markdown, and what was requested. Plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from agents.contract import SEO, Passage
from agents.text.markdown import (
    LINE_OPENING,
    count_words,
    map_prose,
    parse_blocks,
    split_blocks,
    split_code,
    visible_text,
)
from agents.text.syntax import FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE, citation_mark
from agents.text.tokenizer import count_plain_words, sentences

MIN_SENTENCE_WORDS = 4
"""Fewer words are not a sentence but a list item or a label."""


@dataclass(frozen=True)
class Section:
    """A heading with its level (0 and empty before the first one), and the Markdown below it up to the next heading."""

    level: int
    heading: str
    markdown: str

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences of prose and list items, without code, tables and footnote references."""
        return list(_sentences(FOOTNOTE_REFERENCE.sub("", self.markdown)))


@dataclass(frozen=True)
class ScoredText:
    """A text for which ``asked`` words of ``language`` were requested.

    ``planned`` are the headings of its outline, if it had one. ``passages`` were read, by id; ``cites`` maps the label of a
    footnote to the passages it refers to. ``seo`` is None if no search description was requested.
    """

    title: str
    content: str
    asked: int
    language: str = "en"
    number: int | None = None
    planned: Sequence[str] = ()
    seo: SEO | None = None
    passages: Mapping[str, Passage] = field(default_factory=dict)
    cites: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def body(self) -> str:
        """The text without footnote definitions."""
        return "".join(block if code else FOOTNOTE_DEFINITION.sub("", block) for block, code in self._blocks)

    @cached_property
    def defined(self) -> list[str]:
        """The labels of footnote definitions, in order."""
        prose = (block for block, code in self._blocks if not code)
        return [definition["label"] for block in prose for definition in FOOTNOTE_DEFINITION.finditer(block)]

    @cached_property
    def referenced(self) -> list[str]:
        """The labels of footnote references, in order of appearance."""
        prose = (piece for piece, is_code in split_code(self.body) if not is_code)
        return [reference["label"] for piece in prose for reference in FOOTNOTE_REFERENCE.finditer(piece)]

    @cached_property
    def sections(self) -> list[Section]:
        return list(_sections(self.body))

    @cached_property
    def words(self) -> int:
        return count_words(self.content)

    def with_citation_marks(self, ids: Callable[[str], Sequence[str]]) -> str:
        """The body with each footnote reference replaced by the mark ``[S3, S4]``, if ``ids`` of its label are these."""

        def mark(reference: re.Match[str]) -> str:
            found = ids(reference["label"])
            return citation_mark(found) if found else ""

        return map_prose(self.body, lambda prose: FOOTNOTE_REFERENCE.sub(mark, prose))

    @cached_property
    def _blocks(self) -> list[tuple[str, str]]:
        return list(split_blocks(self.content, {"fence"}))


def _sections(body: str) -> Iterator[Section]:
    above, below = (0, ""), list[str]()
    for block, kind in split_blocks(body, {"heading_open"}):
        heading = _heading(block) if kind else None
        if heading is None:
            below.append(block)
            continue
        if above[0] or "".join(below).strip():
            yield Section(*above, "".join(below))
        above, below = heading, []
    if above[0] or "".join(below).strip():
        yield Section(*above, "".join(below))


def _heading(block: str) -> tuple[int, str] | None:
    """Level and text; None if the block is a heading only together with the lines around it."""
    for opening, inline in pairwise(parse_blocks(block)):
        if opening.type == "heading_open":
            return int(opening.tag[1:]), visible_text(FOOTNOTE_REFERENCE.sub("", inline.content))
    return None


def _sentences(markdown: str) -> Iterator[str]:
    for block, kind in split_blocks(markdown, {"inline", "fence", "code_block"}):
        if kind == "inline" and not block.lstrip().startswith("|"):
            text = visible_text(LINE_OPENING.sub("", block, count=1))
            for start, end in sentences(text):
                if count_plain_words(text, start, end) >= MIN_SENTENCE_WORDS:
                    yield text[start:end]
