"""Citation marks (``[S3]``): finding, cleaning, and compiling them to numbered footnotes.

While an article is written, a sentence names the passage it rests on. At the end the marks become Markdown footnotes: one
number and one definition for each source. Footnotes survive rendering, editing and every export.

The text was written by a model, so it is untrusted: marks in code are left alone, and footnotes of the model's own are removed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import partial

from agents.contract import Passage, Reading, Reference, Source
from agents.text.citation_runs import merge_runs
from agents.text.markdown import LINE_OPENING, map_prose, parse_blocks, split_blocks, split_code
from agents.text.reference_entries import reference_entry
from agents.text.syntax import (
    LINK_TARGET,
    LOOSE_DEFINITION,
    LOOSE_FOOTNOTE_REFERENCE,
    LOOSE_IDS,
    LOOSE_MARKS,
    STRAY_CITATION,
    WORDED_CITATION,
    citation_mark,
)
from agents.text.typography import localize_quotes

MAX_RANGE = 50
"""Passages that one range such as ``[S3-S52]`` may name."""

_PASSAGE_ID = re.compile(r"[Ss][0-9]{1,5}")


@dataclass(frozen=True)
class CitationMark:
    """Adjacent marks at ``text[start:end]``, with the space before them, and the ids they name."""

    start: int
    end: int
    ids: tuple[str, ...]


def cited_ids(text: str) -> list[str]:
    """Ids of the passages cited in ``text``, such as ``["S3", "S4", "S3"]``, in order of appearance."""
    return [id for mark in find_marks(text) for id in mark.ids]


def find_marks(text: str) -> Iterator[CitationMark]:
    """The marks of ``text`` in order of appearance. Offsets hold if its line breaks are ``\\n``."""
    at = 0
    for piece, is_code in split_code(text):
        for group in () if is_code else LOOSE_MARKS.finditer(piece):
            for name, start in (("marks", group.start("space")), ("more", group.start("more"))):
                if group[name]:
                    yield CitationMark(at + start, at + group.end(name), tuple(_ids(group[name])))
        at += len(piece)


def uncited_sources(reading: Reading, cited: Collection[str]) -> list[Source]:
    """The sources given with the brief none of whose passages is in ``cited``, which has ids such as ``S3``."""
    used = {passage.source for passage in reading.passages if passage.id in cited}
    return [source for source in reading.sources if source.brief_source is not None and source.number not in used]


def strip_unknown_marks(text: str, known: Collection[str]) -> str:
    """``text`` without ids that are not in ``known``. A mark without any id left goes, with the space before it."""
    known = frozenset(known)

    def with_known(marks: str, space: str) -> str:
        kept = [id for id in dict.fromkeys(_ids(marks)) if id in known]
        return space + citation_mark(kept) if kept else ""

    def keep(group: re.Match[str]) -> str:
        kept = with_known(group["marks"], group["space"]) + group["stop"] + with_known(group["more"], " ")
        return kept or _replacement_for(group)

    return map_prose(text, partial(LOOSE_MARKS.sub, keep))


def strip_stray_citations(text: str) -> str:
    """``text`` without citations a model made up, such as ``[0]``, ``【2】`` or ``(Source 5)``."""
    return map_prose(text, lambda prose: STRAY_CITATION.sub("", WORDED_CITATION.sub("", prose)))


def compile_references(markdown: str, reading: Reading, language: str = "en") -> tuple[str, list[Reference]]:
    """``markdown`` with its marks turned into footnotes ``[^1]``, and the references they stand for.

    Sources are numbered in the order in which they are first cited; the others are not listed. A number follows the
    punctuation of its sentence: ``word [S3].`` becomes ``word.[^1]``; consecutive sentences with the same number share one.
    Marks that name no passage of ``reading`` are removed. Every ``[^n]`` has exactly one definition, at the end, in the language
    of the article, and every definition is cited. Quotation marks become those of the language.
    """
    text = _without_footnotes(_with_closed_fence(markdown))
    numbering = _Numbering(reading)
    text = map_prose(text, partial(LOOSE_MARKS.sub, numbering.replace))
    text = merge_runs(localize_quotes(text, language))
    if not numbering.references:
        return text, []
    definitions = "\n".join(
        f"[^{reference.number}]: "
        + reference_entry(numbering.sources[reference.source], reference.pages.values(), language)
        for reference in numbering.references
    )
    return f"{text.rstrip()}\n\n{definitions}\n", numbering.references


@dataclass
class _Numbering:
    """Numbers sources as they are first cited, and collects the passages cited of each."""

    reading: Reading
    references: list[Reference] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources: dict[int, Source] = {source.number: source for source in self.reading.sources}
        self._passages: dict[str, Passage] = {
            passage.id: passage for passage in self.reading.passages if passage.source in self.sources
        }
        self._by_source: dict[int, Reference] = {}

    def replace(self, group: re.Match[str]) -> str:
        numbers = {self._number(id) for id in _ids(group["marks"] + group["more"]) if id in self._passages}
        footnotes = "".join(f"[^{number}]" for number in sorted(numbers))
        if not footnotes:
            return group["stop"] or _replacement_for(group)
        # A footnote followed by a parenthesis, bracket or colon would be read as a link or a definition.
        guard = "\\" if group.string[group.end() : group.end() + 1] in tuple("([:") else ""
        if not LINE_OPENING.fullmatch(_line_before(group, "marks")):
            # A backslash right before a footnote would escape its bracket.
            space = " " if _line_before(group, "space").endswith("\\") else ""
            return space + group["stop"] + footnotes + guard
        stop = group["stop"].replace(
            ":", r"\:"
        )  # at the start of a line nothing stands before the mark to take the stop
        return group["space"] + footnotes + (stop or guard)

    def _number(self, id: str) -> int:
        passage = self._passages[id]
        reference = self._by_source.get(passage.source)
        if reference is None:
            reference = _reference_to(self.sources[passage.source], len(self.references) + 1)
            self._by_source[passage.source] = reference
            self.references.append(reference)
        if id not in reference.passages:
            reference.passages.append(id)
            if passage.page:
                reference.pages[id] = passage.page
        return reference.number


def _reference_to(source: Source, number: int) -> Reference:
    return Reference(
        number=number,
        source=source.number,
        title=source.title,
        url=source.url,
        publisher=source.publisher,
        author=source.author,
        date=source.date,
    )


def _line_before(match: re.Match[str], group: str) -> str:
    return match.string[: match.start(group)].rpartition("\n")[2]


def _replacement_for(removed: re.Match[str]) -> str:
    """What has to replace a removed mark so that its neighbours do not become a fence or a definition."""
    before, after = _line_before(removed, "space"), removed.string[removed.end() :].lstrip(" \t")[:1]
    if after in ("`", "~") and before.endswith(after):
        return " "
    return "\\" if after in tuple("`~[") and LINE_OPENING.fullmatch(before + removed["space"]) else ""


def _ids(mark: str) -> Iterator[str]:
    """``S3, s4`` → S3, S4; ``S3-S5`` → S3, S4, S5."""
    for match in LOOSE_IDS.finditer(LINK_TARGET.sub("", mark)):
        first = int(match[1])
        last = int(match[2]) if match[2] else first
        if not first <= last < first + MAX_RANGE:
            last = first
        yield from (f"S{number}" for number in range(first, last + 1))


def _without_footnotes(text: str) -> str:
    """``text`` without footnotes of the model's own, which would collide with the compiled ones."""
    blocks = list(split_blocks(text, {"fence"}))
    defined = {match["label"] for block, kind in blocks if not kind for match in LOOSE_DEFINITION.finditer(block)}

    def is_stray(label: str) -> bool:
        return (label in defined or label.isdecimal()) and not _PASSAGE_ID.fullmatch(label)

    def clean(prose: str) -> str:
        prose = LOOSE_FOOTNOTE_REFERENCE.sub(
            lambda note: _replacement_for(note) if is_stray(note["label"]) else note[0], prose
        )
        return prose.replace("^[", r"^\[")  # would open an inline footnote

    return map_prose("".join(block if kind else LOOSE_DEFINITION.sub("", block) for block, kind in blocks), clean)


def _with_closed_fence(text: str) -> str:
    """``text`` with an unclosed fence closed, so that the references do not end up in it."""
    tokens = parse_blocks(text)
    if not tokens or tokens[-1].type != "fence" or not tokens[-1].map:
        return text
    fence, opening = tokens[-1].markup, tokens[-1].map[0]
    *above, last = text.rstrip().split("\n")
    is_closed = len(above) > opening and last.strip().startswith(fence) and not last.strip().strip(fence[0])
    return text if is_closed else f"{text.rstrip()}\n{fence}\n"
