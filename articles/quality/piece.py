"""What is scored: a finished text in Markdown, and what it was to be. Plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from agents.contract import SEO, Passage
from agents.text.markdown import LINE_OPENING, map_prose, parse_blocks, split_blocks, split_code, visible_text
from agents.text.tokenizer import count_words, sentences

MIN_SENTENCE_WORDS = 4
"""Less is no sentence but an item of a list or a label."""

_NOTE = re.compile(r"^\[\^(?P<label>[^\]\s]+)\]:.*(?:\n(?:[ ]{4}|\t).*)*\n?", re.MULTILINE)
_MARKER = re.compile(r"(?<!\\)\[\^(?P<label>[^\]\s]+)\]")


@dataclass(frozen=True)
class Section:
    """A heading with its level (0 and none before the first one), and the Markdown below it up to the next heading."""

    level: int
    heading: str
    markdown: str

    @cached_property
    def sentences(self) -> list[str]:
        """What a reader reads as sentences: prose and items of lists, no code and no tables, without markers."""
        return list(_sentences(_MARKER.sub("", self.markdown)))


@dataclass(frozen=True)
class ScoredText:
    """A text, asked for in ``asked`` words of ``language``.

    ``planned``: the headings of its outline, none where it had none. ``passages`` were read, by id; ``cites`` tells which of
    them stand behind a marker ``[^label]``. ``seo`` is None where it was not to be described for search.
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
        """The text without its notes."""
        return "".join(block if code else _NOTE.sub("", block) for block, code in self._blocks)

    @cached_property
    def notes(self) -> list[str]:
        """The labels of its notes, in order."""
        return [note["label"] for block, code in self._blocks if not code for note in _NOTE.finditer(block)]

    @cached_property
    def markers(self) -> list[str]:
        """The labels its text refers to, in order of appearance."""
        prose = (piece for piece, is_code in split_code(self.body) if not is_code)
        return [marker["label"] for piece in prose for marker in _MARKER.finditer(piece)]

    @cached_property
    def sections(self) -> list[Section]:
        return list(_sections(self.body))

    @cached_property
    def words(self) -> int:
        return sum(
            count_words(visible_text(_MARKER.sub("", text)))
            for text, kind in split_blocks(self.body, {"inline"})
            if kind
        )

    def with_marks(self, ids: Callable[[str], Sequence[str]]) -> str:
        """The body with each marker as the mark it was made of: ``[S3, S4]`` where ``ids`` of its label are these."""

        def mark(marker: re.Match[str]) -> str:
            named = ids(marker["label"])
            return f"[{', '.join(named)}]" if named else ""

        return map_prose(self.body, lambda prose: _MARKER.sub(mark, prose))

    @cached_property
    def _blocks(self) -> list[tuple[str, str]]:
        return list(split_blocks(self.content, {"fence", "code_block"}))


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
    """Level and text; None where it is no heading without what stands around it."""
    for opening, inline in pairwise(parse_blocks(block)):
        if opening.type == "heading_open":
            return int(opening.tag[1:]), visible_text(_MARKER.sub("", inline.content))
    return None


def _sentences(markdown: str) -> Iterator[str]:
    for block, kind in split_blocks(markdown, {"inline", "fence", "code_block"}):
        if kind == "inline" and not block.lstrip().startswith("|"):
            text = visible_text(LINE_OPENING.sub("", block, count=1))
            for start, end in sentences(text):
                if count_words(text, start, end) >= MIN_SENTENCE_WORDS:
                    yield text[start:end]
