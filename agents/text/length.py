"""The length controller: decides, from counts alone, what has to be written again and how many words to ask for.

Models keep to a length badly, each in its own way. So every text is counted, one outside its bounds is asked for once more,
and where a model is always short or always long, the figure it is told is bent the other way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

MIN_SECTION_SHARE, MAX_SECTION_SHARE = 0.85, 1.20
"""A section is written again below or above these shares of its budget."""

EDIT_BOUNDS = 0.87, 1.15
"""An edit that leaves these shares of the text it mends did something else than it was asked for."""

TOTAL_BOUNDS = 0.96, 1.10
"""What all sections together are brought to before they are edited."""

FINAL_BOUNDS = 0.91, 1.10
"""What the finished article may be at most away from the length asked for: with its headings, a length score of 95 and more."""

REQUEST_FACTOR = 1.03
"""What is asked of the writer, as a share of the budget: a length asked for is the least that is wanted, and editing shortens."""

MIN_SAMPLES = 3
"""Texts that have to be seen before a habit is made of their lengths."""

MAX_STRETCH = 1.5
"""A section is not asked to grow or shrink further than by this factor to make up for others."""


def even_shares(total: int, sections: int) -> list[int]:
    """``total`` words shared out evenly: whole numbers that sum up to it."""
    bounds = [round(total * part / sections) for part in range(sections + 1)]
    return [end - start for start, end in pairwise(bounds)]


def is_within(words: int, budget: int, bounds: tuple[float, float] = (MIN_SECTION_SHARE, MAX_SECTION_SHARE)) -> bool:
    low, high = bounds
    return low * budget <= words <= high * budget


def length_score(written: int, asked: int) -> float:
    """0 to 100: 100·max(0, 1 − (y/x − 1)/3) where more was written than asked, else 100·max(0, 1 − (x/y − 1)/2).

    LongWriter (Bai et al., 2024), section 4.1.
    """
    if not written:
        return 0.0
    off = (written / asked - 1) / 3 if written > asked else (asked / written - 1) / 2
    return 100 * max(0.0, 1 - off)


def sections_to_resize(
    counts: Sequence[int], wanted: Sequence[int], bounds: tuple[float, float] = TOTAL_BOUNDS
) -> dict[int, int]:
    """Which sections (from 1) to write again, and at how many words, to bring the whole within ``bounds``: as few as can be.

    The ones that are furthest from what was ``wanted`` of them come first. Empty where the whole fits.
    """
    total = sum(wanted)
    if is_within(sum(counts), total, bounds):
        return {}
    gap = round(total * REQUEST_FACTOR) - sum(counts)
    off = {number: want - count for number, (count, want) in enumerate(zip(counts, wanted, strict=True), 1)}
    chosen: dict[int, int] = {}
    for number in sorted(off, key=lambda number: off[number], reverse=gap > 0):
        if abs(gap) <= 0.02 * total:
            break
        count = counts[number - 1]
        room = (wanted[number - 1] * MAX_STRETCH if gap > 0 else wanted[number - 1] / MAX_STRETCH) - count
        step = round(min(gap, max(room, 0)) if gap > 0 else max(gap, min(room, 0)))
        if step:
            chosen[number] = count + step
            gap -= step
    return chosen


@dataclass
class LengthCalibration:
    """How long this model's texts come out, as a share of what it was asked for; learnt while a run goes on."""

    shares: list[float] = field(default_factory=list)

    def note(self, asked: int, written: int) -> None:
        if asked and written:
            self.shares.append(written / asked)

    def figure(self, words: int) -> int:
        """The figure to ask for, so that ``words`` words come of it."""
        usual = median(self.shares) if len(self.shares) >= MIN_SAMPLES else 1.0
        return round(words / min(max(usual, 0.6), 1.6))
