"""Merges two edits of one text, sentence by sentence: what only one side changed is taken over, the rest is a conflict.

The method is that of diff3: places where both edits still have the original's sentences separate the text into regions, and
each region was changed by nobody, by one side, by both alike, or by both in different ways.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import Match, SequenceMatcher
from hashlib import blake2b
from typing import Literal

from agents.text.syntax import FOOTNOTE, FOOTNOTE_DEFINITION
from agents.text.tokenizer import sentences

MAX_COMPARISONS = 4_000_000
"""Pairs of equal sentences in two texts; with more, as in ten thousand times "No.", all between start and end is one region."""

Choice = Literal["mine", "theirs", "both"]

_FOOTNOTE = re.compile(FOOTNOTE)


@dataclass(frozen=True)
class Region:
    """A stretch of the text in its three versions. ``base`` is what both began with.

    ``clashes``: it is a conflict although only one side changed it.
    """

    base: str
    mine: str
    theirs: str
    clashes: bool = False

    @property
    def is_conflict(self) -> bool:
        return self.clashes or (self.mine != self.theirs and self.base not in (self.mine, self.theirs))

    @property
    def is_taken(self) -> bool:
        """Whether only the other side changed it."""
        return self.mine == self.base != self.theirs and not self.clashes

    @property
    def merged(self) -> str:
        """The version to keep; ``mine`` in a conflict."""
        return self.theirs if self.is_taken else self.mine

    @property
    def key(self) -> str:
        """Identifies a conflict by its texts, so that a choice is not applied to another one."""
        return blake2b("\0".join((self.base, self.mine, self.theirs)).encode(), digest_size=8).hexdigest()

    def chosen(self, choice: Choice) -> Region:
        """The conflict resolved."""
        both = self.mine + ("" if self.mine[-1:].isspace() or not self.mine else " ") + self.theirs
        text = {"mine": self.mine, "theirs": self.theirs, "both": both}[choice]
        return Region(self.base, text, text)


@dataclass(frozen=True)
class Merge:
    """The regions of a text in order. ``content`` has both sides' changes, and ``mine`` in the conflicts."""

    regions: list[Region]

    @property
    def content(self) -> str:
        return "".join(region.merged for region in self.regions)

    @property
    def conflicts(self) -> list[Region]:
        return [region for region in self.regions if region.is_conflict]

    @property
    def taken(self) -> int:
        """How many places were changed by the other side alone."""
        return sum(region.is_taken for region in self.regions)

    def resolved(self, choices: Mapping[str, Choice]) -> Merge:
        """With the conflicts resolved for whose ``key`` there is a choice."""
        return Merge(
            [
                region.chosen(choices[region.key]) if region.is_conflict and region.key in choices else region
                for region in self.regions
            ]
        )


def merge_texts(base: str, mine: str, theirs: str) -> Merge:
    """``base`` with the changes of ``mine`` and of ``theirs``."""
    if mine == theirs or base in (mine, theirs):
        return Merge([Region(base, mine, theirs)])
    regions = list(_regions(*(_units(text) for text in (base, mine, theirs))))
    doubled = _doubled_labels(regions)
    return Merge([_with_clash(region, doubled) for region in regions])


def _units(text: str) -> list[str]:
    """The text in sentences and line ends, each with the space behind it. Marks do not keep a sentence from ending."""
    units = []
    for line in text.splitlines(keepends=True):
        plain = _FOOTNOTE.sub(lambda mark: " " * len(mark[0]), line)
        starts = [0, *(start for start, _ in sentences(plain)[1:]), len(line)]
        units += [line[start:end] for start, end in itertools.pairwise(starts)]
    return units


def _regions(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[Region]:
    at = (0, 0, 0)
    for place, length in _unchanged(base, mine, theirs):
        if place != at:
            yield _region(base, mine, theirs, at, place)
        kept = "".join(base[place[0] : place[0] + length])
        if kept:
            yield Region(kept, kept, kept)
        at = (place[0] + length, place[1] + length, place[2] + length)


Place = tuple[int, int, int]


def _region(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str], at: Place, end: Place) -> Region:
    first, second, third = ("".join(units[at[i] : end[i]]) for i, units in enumerate((base, mine, theirs)))
    return Region(first, second, third)


def _unchanged(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[Place, int]]:
    """Runs of units that all three have: where each begins in them, and its length. The last, of length 0, is the end."""
    ours, others = _matches(base, mine), _matches(base, theirs)
    i = j = 0
    while i < len(ours) and j < len(others):
        start = max(ours[i].a, others[j].a)
        end = min(ours[i].a + ours[i].size, others[j].a + others[j].size)
        if start < end:
            yield (start, ours[i].b + start - ours[i].a, others[j].b + start - others[j].a), end - start
        if ours[i].a + ours[i].size < others[j].a + others[j].size:
            i += 1
        else:
            j += 1
    yield (len(base), len(mine), len(theirs)), 0


def _matches(base: Sequence[str], other: Sequence[str]) -> list[Match]:
    """Blocks that ``base`` and ``other`` share, in order."""
    counts = Counter(other)
    comparisons = sum(number * counts[unit] for unit, number in Counter(base).items())
    if comparisons <= MAX_COMPARISONS:
        return [
            block for block in SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks() if block.size
        ]
    start = next((n for n, pair in enumerate(zip(base, other, strict=False)) if pair[0] != pair[1]), 0)
    return [Match(0, 0, start)] if start else []


def _doubled_labels(regions: Sequence[Region]) -> set[str]:
    """Labels of footnotes that both sides defined, each for another source."""
    mine = Counter(_labels("".join(region.mine for region in regions)))
    theirs = Counter(_labels("".join(region.theirs for region in regions)))
    merged = Counter(_labels("".join(region.merged for region in regions)))
    return {label for label, number in merged.items() if number > max(mine[label], theirs[label])}


def _labels(text: str) -> list[str]:
    return [definition["label"] for definition in FOOTNOTE_DEFINITION.finditer(text)]


def _with_clash(region: Region, doubled: set[str]) -> Region:
    """A conflict, if the region defines a footnote that the other side defined elsewhere."""
    added = set(_labels(region.mine + region.theirs)) - set(_labels(region.base))
    return replace(region, clashes=True) if added & doubled else region
