"""The sentences of a text and the marks that belong to each.

One mark stands for a run of sentences: all those since the mark before it, or since the start of the paragraph. While an article
is written its marks name passages (``[S3]``); the finished text has footnotes (``[^1]``) in their place, which name sources.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agents.text.citations import CitationMark, find_marks, strip_unknown_marks
from agents.text.labels import is_own_reasoning
from agents.text.markdown import LINE_OPENING, split_blocks, split_code, visible_text
from agents.text.syntax import FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE, STOPS
from agents.text.tokenizer import sentences

EMPHASIS = "*_"

_CONTINUED = re.compile(r"(?:\r\n?|\n)[ \t>]*")
# The opening of a line that continues a paragraph, and emphasis that closes behind a full stop.
_INVISIBLE = re.compile(rf"(?<=\n)[ \t>]+|(?<=[{STOPS}])[*_]+(?=\s|\Z)")
_TABLE_RULE = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_LINE = re.compile(r"[^\n]+")
_CELL = re.compile(r"(?:\\.|[^\\|\n])+")
_HEADING = re.compile(r"[ \t>]*#{1,6}[ \t]")

FindMarks = Callable[[str], Iterable[CitationMark]]
"""The marks of a text whose line breaks are ``\\n``, in order."""


@dataclass
class MarkedSentence:
    """``ids`` are those of its own marks, ``run`` those of the run it belongs to."""

    start: int
    end: int
    ids: list[str] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    block: int = 0
    is_heading: bool = False


def sentences_with_marks(markdown: str, find: FindMarks = find_marks) -> list[MarkedSentence]:
    """All sentences of prose, with their runs."""
    found = _sentences(markdown, find)
    following: MarkedSentence | None = None
    for sentence in reversed(found):
        if sentence.ids:
            sentence.run = sentence.ids
            following = sentence
        elif following and following.block == sentence.block:
            sentence.run = [] if is_own_reasoning(plain_text(markdown, sentence)) else following.ids
    return found


def plain_text(markdown: str, sentence: MarkedSentence) -> str:
    return visible_sentence(markdown[sentence.start : sentence.end]).strip(f"{EMPHASIS} ")


def _sentences(markdown: str, find: FindMarks) -> list[MarkedSentence]:
    """All sentences of prose in order, each with the ids of its marks and extended to include them."""
    text = markdown.replace("\r\n", " \n").replace("\r", "\n")  # keeps the length
    marks = list(find(text))
    found: list[MarkedSentence] = []
    at = 0
    for block, kind in split_blocks(text, {"fence", "code_block", "inline"}):
        is_heading = _HEADING.match(block) is not None
        for start, end in _cells(block) if kind == "inline" else ():
            own = [mark for mark in marks if at + start <= mark.start < at + end]
            new = _split(text, at + start, at + end, own)
            for sentence in new:
                sentence.block, sentence.is_heading = at + start, is_heading
            for mark in own if found and not new else ():
                _add_lone_mark(mark, found[-1], text)
            found += new
        at += len(block)
    return found


def _split(text: str, start: int, end: int, own: Sequence[CitationMark]) -> list[MarkedSentence]:
    """The sentences of ``text[start:end]``, split as if its marks and the openings of its lines were not there."""
    hidden = {place for mark in own for place in range(mark.start, mark.end)}
    for invisible in _INVISIBLE.finditer(text, start, end):
        hidden.update(range(*invisible.span()))
    shown = [place for place in range(start, end) if place not in hidden]
    bare = "".join(text[place] for place in shown).replace("\n", " ")
    places = [bisect_left(shown, mark.start) for mark in own]
    spans = [span for span in _spans(bare, places) if any(map(str.isalnum, bare[slice(*span)]))]
    found = [MarkedSentence(shown[begin], shown[finish - 1] + 1) for begin, finish in spans]
    for mark, place in zip(own, places, strict=True) if found else ():
        sentence = found[max(bisect_left([begin for begin, _ in spans], place) - 1, 0)]
        sentence.ids += mark.ids
        sentence.start = min(sentence.start, _after_space(text, mark))
        sentence.end = max(sentence.end, mark.end)
    return found


def _spans(bare: str, places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Start and end of the sentences of ``bare``. A stop with a mark behind it ends one, even that of an abbreviation."""
    ends = (
        place for place in places if bare[:place].endswith(tuple(STOPS)) and not bare[place:].lstrip()[:1].islower()
    )
    for start, end in pairwise([0, *ends, len(bare)]):
        yield from sentences(bare, start, end)


def _add_lone_mark(mark: CitationMark, sentence: MarkedSentence, text: str) -> None:
    """Add a mark that stands alone behind ``sentence``, extending it if only space lies between."""
    sentence.ids += mark.ids
    if not text[sentence.end : _after_space(text, mark)].strip():
        sentence.end = mark.end


def _after_space(text: str, mark: CitationMark) -> int:
    """Where the mark begins without the space before it."""
    return mark.end - len(text[mark.start : mark.end].lstrip())


def _cells(block: str) -> Iterator[tuple[int, int]]:
    """Start and end of the text before a table and of its cells; of the whole block if it holds no table."""
    lines = block.split("\n")
    rule = next((place for place, line in enumerate(lines) if place and _is_table_rule(line)), len(lines) + 1)
    head = "\n".join(lines[: rule - 1])
    if head.strip():
        yield len(block) - len(LINE_OPENING.sub("", block, count=1)), len(head)
    for row in _LINE.finditer(block, min(len(head), len(block))):
        if not _is_table_rule(row[0]):
            yield from (cell.span() for cell in _CELL.finditer(block, *row.span()))


def _is_table_rule(line: str) -> bool:
    """Whether ``line`` is the one below a table's head, such as ``|---|:-:|``."""
    return "|" in line and _TABLE_RULE.fullmatch(line) is not None


def visible_sentence(text: str) -> str:
    """What a reader sees of ``text``, without citation marks."""
    return visible_text(strip_unknown_marks(_CONTINUED.sub(" ", text), ()))


def find_footnotes(text: str) -> Iterator[CitationMark]:
    """The footnotes ``[^1]`` of a finished text; their ids are the labels. ``text`` has no definitions, see below."""
    at = 0
    for piece, is_code in split_code(text):
        for found in () if is_code else FOOTNOTE_REFERENCE.finditer(piece):
            yield CitationMark(at + found.start(), at + found.end(), (found["label"],))
        at += len(piece)


def blank_definitions(markdown: str) -> str:
    """``markdown`` with spaces in the place of the definitions of its footnotes, so that offsets hold."""
    blocks = split_blocks(markdown, {"fence"})
    return "".join(block if is_code else FOOTNOTE_DEFINITION.sub(_spaces, block) for block, is_code in blocks)


def _spaces(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
