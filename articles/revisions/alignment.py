"""Compares two texts: which blocks belong together, and in them which sentences changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from articles.revisions.units import Block, Kind, Units
from articles.revisions.word_diff import Piece, Pieces, WordDiff, counts, shared, tokens

MIN_SIMILAR = 0.35
"""Blocks that share at least this part of their words are versions of one another."""
MAX_PAIRS = 10_000
"""Between two unchanged blocks, so many pairs of changed ones are considered: 100 paragraphs against 100."""


@dataclass(frozen=True)
class Change:
    """A change that can be undone by itself. ``before`` and ``after`` are its units in both texts, one of them perhaps empty.

    ``moved_with`` is the number of the change that has the same text at its other place; 0 if it was not moved.
    """

    number: int
    kind: Kind
    section: str
    before: tuple[int, int]
    after: tuple[int, int]
    pieces: Pieces
    moved_with: int = 0

    @property
    def sizes(self) -> tuple[int, int]:
        """How many sentences it has before and after."""
        return self.before[1] - self.before[0], self.after[1] - self.after[0]


@dataclass(frozen=True)
class Part:
    """Sentences that are the same in both texts, or a change. ``space`` stands behind it.

    ``before`` and ``after`` are its units in both texts.
    """

    before: tuple[int, int]
    after: tuple[int, int]
    text: str = ""
    change: Change | None = None
    space: str = ""

    @property
    def pieces(self) -> Pieces:
        return self.change.pieces if self.change else [Piece("same", self.text)]


@dataclass(frozen=True)
class Row:
    """A block of the texts, or of one of them."""

    kind: Kind
    parts: list[Part]

    @property
    def changes(self) -> list[Change]:
        return [part.change for part in self.parts if part.change]


@dataclass
class Comparison:
    old: Units
    new: Units
    rows: list[Row] = field(default_factory=list)

    @property
    def changes(self) -> list[Change]:
        return [change for row in self.rows for change in row.changes]


def compare(old: str, new: str) -> Comparison:
    """What changed from ``old`` to ``new``. White space alone is no change. About 15 ms of CPU for 5,000 words."""
    comparison = Comparison(Units(old), Units(new))
    _Comparing(comparison).run()
    return with_moves(comparison)


class _Comparing:
    def __init__(self, comparison: Comparison) -> None:
        self.comparison, self.words = comparison, WordDiff()
        self.old, self.new = comparison.old, comparison.new
        self.number = 0

    def run(self) -> None:
        was, now = (
            [self.old.key(block) for block in self.old.blocks],
            [self.new.key(block) for block in self.new.blocks],
        )
        # Junk is left on: in hostile texts of equal lines, comparing each with each would take minutes.
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, was, now).get_opcodes():
            if tag == "equal":
                for old, new in zip(self.old.blocks[i1:i2], self.new.blocks[j1:j2], strict=True):
                    self.add(new.kind, [self.same((old.first, old.last), (new.first, new.last))])
            else:
                self.add_changed(i1, i2, j1, j2)

    def add(self, kind: Kind, parts: list[Part]) -> None:
        self.comparison.rows.append(Row(kind, parts))

    def add_changed(self, i1: int, i2: int, j1: int, j2: int) -> None:
        i_at, j_at = self.old.place(i1), self.new.place(j1)
        for old, new in paired(self.old, self.old.blocks[i1:i2], self.new, self.new.blocks[j1:j2]):
            if old and new:
                self.add(new.kind, list(self.sentence_parts(old, new)))
            elif old:
                self.add(old.kind, [self.changed(old.kind, (old.first, old.last), (j_at, j_at))])
            elif new:
                self.add(new.kind, [self.changed(new.kind, (i_at, i_at), (new.first, new.last))])
            i_at, j_at = old.last if old else i_at, new.last if new else j_at

    def sentence_parts(self, old: Block, new: Block) -> Iterator[Part]:
        """The sentences of two versions of a block."""
        matcher = SequenceMatcher(None, self.old.key(old), self.new.key(new))
        spans = list(self.divided(old, new, matcher.get_opcodes()))
        for place, (is_same, i1, i2, j1, j2) in enumerate(spans):
            # The space is that of the text in which something follows.
            gaps, last = (self.new.gaps, j2) if j2 > j1 else (self.old.gaps, i2)
            space = gaps[last - 1] if place < len(spans) - 1 else ""
            if is_same:
                yield self.same((i1, i2), (j1, j2), space or " ")
            else:
                yield self.changed(new.kind, (i1, i2), (j1, j2), space)

    def divided(
        self, old: Block, new: Block, opcodes: Sequence[tuple[str, int, int, int, int]]
    ) -> Iterator[tuple[bool, int, int, int, int]]:
        """The opcodes as places in the texts. Sentences that are versions of one another are changes of their own."""
        for tag, *places in opcodes:
            firsts = [old.first] * 2 + [new.first] * 2
            i, i2, j, j2 = (place + first for place, first in zip(places, firsts, strict=True))
            for to, end in self.similar(i, i2, j, j2) if tag == "replace" else []:
                if to > i or end > j:
                    yield False, i, to, j, end
                yield False, to, to + 1, end, end + 1
                i, j = to + 1, end + 1
            if i2 > i or j2 > j:
                yield tag == "equal", i, i2, j, j2

    def similar(self, i1: int, i2: int, j1: int, j2: int) -> list[tuple[int, int]]:
        if (i2 - i1) * (j2 - j1) > MAX_PAIRS:
            return []
        was, now = self.old.all[i1:i2], self.new.all[j1:j2]
        matches = best_matches(
            [("text", word_counts(unit.text)) for unit in was], [("text", word_counts(unit.text)) for unit in now]
        )
        return [(i + i1, j + j1) for i, j in matches]

    def same(self, before: tuple[int, int], after: tuple[int, int], space: str = "") -> Part:
        return Part(before, after, self.new.text(*after), space=space)

    def changed(self, kind: Kind, before: tuple[int, int], after: tuple[int, int], space: str = "") -> Part:
        self.number += 1
        first = self.new.all[after[0]] if after[1] > after[0] else self.old.all[before[0]]
        pieces = self.words.pieces(self.old.text(*before), self.new.text(*after))
        change = Change(self.number, kind, first.section, before, after, pieces)
        return Part(before, after, change=change, space=space)


def word_counts(text: str) -> Counter[str]:
    return counts(tokens(text))


Pair = tuple[Block | None, Block | None]


def paired(old: Units, was: Sequence[Block], new: Units, now: Sequence[Block]) -> Iterator[Pair]:
    """Which changed blocks are versions of one another, in the order of the texts; those without a partner alone."""
    if not was or not now or len(was) * len(now) > MAX_PAIRS:
        matches = []
    elif len(was) == len(now) == 1 and was[0].kind == now[0].kind:
        matches = [(0, 0)]
    else:
        matches = best_matches(
            [(block.kind, word_counts(old.text(block.first, block.last))) for block in was],
            [(block.kind, word_counts(new.text(block.first, block.last))) for block in now],
        )
    i = j = 0
    for to, end in [*matches, (len(was), len(now))]:
        yield from ((block, None) for block in was[i:to])
        yield from ((None, block) for block in now[j:end])
        if to < len(was) and end < len(now):
            yield was[to], now[end]
        i, j = to + 1, end + 1


def best_matches(
    was: Sequence[tuple[Kind, Counter[str]]], now: Sequence[tuple[Kind, Counter[str]]]
) -> list[tuple[int, int]]:
    """The pairs, in order, whose similarities have the largest sum: a longest common subsequence with weights."""
    sums = [[0.0] * (len(now) + 1) for _ in range(len(was) + 1)]
    weights: dict[tuple[int, int], float] = {}
    for i in range(len(was) - 1, -1, -1):
        for j in range(len(now) - 1, -1, -1):
            weight = shared(was[i][1], now[j][1]) if was[i][0] == now[j][0] else 0.0
            weights[i, j] = weight if weight >= MIN_SIMILAR else 0.0
            sums[i][j] = max(sums[i + 1][j], sums[i][j + 1], sums[i + 1][j + 1] + weights[i, j])
    found, i, j = [], 0, 0
    while i < len(was) and j < len(now):
        if weights[i, j] and sums[i][j] == sums[i + 1][j + 1] + weights[i, j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif sums[i][j] == sums[i + 1][j]:
            i += 1
        else:
            j += 1
    return found


def with_moves(comparison: Comparison) -> Comparison:
    """Links what was removed at one place and added, unchanged, at another."""
    old, new = comparison.old, comparison.new
    removed: dict[tuple[str, ...], Change] = {}
    for change in comparison.changes:
        if change.sizes[1] == 0:
            removed.setdefault(tuple(unit.key for unit in old.all[slice(*change.before)]), change)
    partners: dict[int, int] = {}
    for change in comparison.changes:
        key = tuple(unit.key for unit in new.all[slice(*change.after)])
        if change.sizes[0] == 0 and (source := removed.pop(key, None)):
            partners |= {change.number: source.number, source.number: change.number}
    if not partners:
        return comparison
    rows = [
        Row(row.kind, [linked(part, partners) for part in row.parts]) if row.changes else row for row in comparison.rows
    ]
    return Comparison(old, new, rows)


def linked(part: Part, partners: dict[int, int]) -> Part:
    change = part.change
    if change is None or change.number not in partners:
        return part
    return replace(part, change=replace(change, moved_with=partners[change.number]))
