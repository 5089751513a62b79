"""Whether the headings lead through the text: in order, each with something below it, and as the outline had them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from articles.quality.piece import ScoredText, Section


def heading_problems(piece: ScoredText) -> list[str]:
    """Each as a sentence; empty where all is well."""
    return [*_levels(piece), *_empty(piece.sections), *_twice(piece), *_contents(piece)]


def _levels(piece: ScoredText) -> Iterator[str]:
    """The page has the title as its first level, so a text begins at the second."""
    for above, below in pairwise([1, *(section.level for section in piece.sections if section.level)]):
        if below == 1:
            yield "A heading is of the first level, which is the title's."
        elif below > above + 1:
            yield f"After level {above} a heading of level {below} follows."


def _empty(sections: list[Section]) -> Iterator[str]:
    """A heading with nothing below it, not even a heading of a lower level."""
    for section, following in pairwise([*sections, Section(1, "", "")]):
        if section.level and not section.markdown.strip() and following.level <= section.level:
            yield f"Below “{section.heading}” there is nothing."


def _twice(piece: ScoredText) -> Iterator[str]:
    times = Counter(_plain(section.heading) for section in piece.sections if section.level)
    for section in piece.sections:
        if section.level and times.pop(_plain(section.heading), 0) > 1:
            yield f"“{section.heading}” stands there more than once."


def _contents(piece: ScoredText) -> Iterator[str]:
    """The outline is what a reader is shown as contents while the text is written."""
    planned = [_plain(heading) for heading in piece.planned]
    written = [_plain(section.heading) for section in piece.sections]
    missing = [heading for heading in piece.planned if _plain(heading) not in written]
    yield from (f"“{heading}” of the outline is not in the text." for heading in missing)
    if not missing and [heading for heading in dict.fromkeys(written) if heading in planned] != planned:
        yield "The sections are not in the order of the outline."


def _plain(heading: str) -> str:
    return " ".join(heading.split()).strip("# ").casefold()
