"""Whether the headings are well-formed: levels in order, a text below each, and as the outline planned them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from articles.quality.scored_text import ScoredText, Section


def heading_problems(text: ScoredText) -> list[str]:
    return [*_level_problems(text), *_empty_sections(text.sections), *_duplicates(text), *_outline_problems(text)]


def _level_problems(text: ScoredText) -> Iterator[str]:
    """The title has the first level, so a text begins at the second."""
    for above, below in pairwise([1, *(section.level for section in text.sections if section.level)]):
        if below == 1:
            yield "A heading is of the first level, which is the title's."
        elif below > above + 1:
            yield f"A heading of level {below} follows one of level {above}."


def _empty_sections(sections: list[Section]) -> Iterator[str]:
    for section, following in pairwise([*sections, Section(1, "", "")]):
        if section.level and not section.markdown.strip() and following.level <= section.level:
            yield f"The section “{section.heading}” is empty."


def _duplicates(text: ScoredText) -> Iterator[str]:
    times = Counter(_folded(section.heading) for section in text.sections if section.level)
    for section in text.sections:
        if section.level and times.pop(_folded(section.heading), 0) > 1:
            yield f"The heading “{section.heading}” is used more than once."


def _outline_problems(text: ScoredText) -> Iterator[str]:
    planned = [_folded(heading) for heading in text.planned]
    written = [_folded(section.heading) for section in text.sections]
    missing = [heading for heading in text.planned if _folded(heading) not in written]
    yield from (f"“{heading}” of the outline is not in the text." for heading in missing)
    if not missing and [heading for heading in dict.fromkeys(written) if heading in planned] != planned:
        yield "The sections are not in the order of the outline."


def _folded(heading: str) -> str:
    return " ".join(heading.split()).strip("# ").casefold()
