"""Length control: decides from word counts what has to be written again and how many words to ask for.

Models miss a requested length, each in its own way. So every text is counted, a text outside its bounds is requested once
more, and if a model is always short or always long, the requested number is corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

SECTION_WORDS, SHORT_ARTICLE, MORE_WORDS = 210, 1500, 500
PART_WORDS = 500
"""The words that one writer, judge or editor works at: enough for sentences to lead on, and for a reader not to wait."""

MOST_PART_WORDS = 700
"""More words than this are divided: some models return 1,000 tokens at most."""

WHOLE_WORDS = 1500
"""The longest article that is written in one draft: models lose track of longer ones, and a reader waits a minute for it."""

WORDS_PER_MISSING = 250
"""For so many words of an article its editor may add one thing that is missing: more would crowd out what is there."""

EDITED_SHARE = 1.1
"""How long editors may make their part, as a share of its planned words."""

TOTAL_BOUNDS = 0.94, 1.15
"""What all sections together are brought to after they are edited, as shares of the planned words."""

FINAL_BOUNDS = 0.93, 1.17
"""What the checked article is brought to: with its lead and headings, a length score of 95 and more.

A cut takes out what editors have put in, so only what is much too long is cut.
"""

MIN_SAMPLES = 3
"""Texts needed before a model's deviation is corrected."""

MAX_STRETCH = 1.5
"""The most a section is asked to grow to make up for others. None is cut below its own words: the advice would go first."""


def section_count(words: int) -> int:
    """Sections of about 210 words up to 1,500 words; of the words beyond that, one for each 500, so that long ones are longer."""
    short, more = min(words, SHORT_ARTICLE), max(words - SHORT_ARTICLE, 0)
    return max(round(short / SECTION_WORDS + more / MORE_WORDS), 2)


def most_missing(words: int) -> int:
    """Things that are missing which an editor of so many words may work in."""
    return max(round(words / WORDS_PER_MISSING), 1)


def most_replacements(words: int) -> int:
    """Changes an editor of so many words may make: one for about every third sentence."""
    return max(words // 60, 6)


def most_corrections(words: int) -> int:
    """Changes that the last reader of an article of so many words may make."""
    return max(words // 125, 4)


def most_findings(words: int) -> int:
    """Findings that an article of so many words has room for: each needs a sentence, and what it means another."""
    return max(words // 45, 8)


def even_shares(total: int, parts: int) -> list[int]:
    """``total`` divided evenly into whole numbers that add up to it."""
    bounds = [round(total * part / parts) for part in range(parts + 1)]
    return [end - start for start, end in pairwise(bounds)]


def parts_of(words: Sequence[int]) -> list[list[int]]:
    """The numbers of the sections of these lengths, from 1, in parts of about PART_WORDS that follow each other."""
    total = sum(words)
    count = max(1, min(round(total / PART_WORDS), len(words)))
    parts: list[list[int]] = [[] for _ in range(count)]
    before = 0
    for number, length in enumerate(words, 1):
        parts[min(count * (before + length // 2) // max(total, 1), count - 1)].append(number)
        before += length
    return [half for part in parts for half in halves(part, words) if half]


def halves(part: Sequence[int], words: Sequence[int]) -> list[list[int]]:
    """``part`` in two if its sections have more than MOST_PART_WORDS."""
    lengths = [words[number - 1] for number in part]
    if sum(lengths) <= MOST_PART_WORDS or len(part) == 1:
        return [list(part)]
    middle = min(range(1, len(part)), key=lambda end: abs(2 * sum(lengths[:end]) - sum(lengths)))
    return [list(part[:middle]), list(part[middle:])]


def is_within(words: int, wanted: int, bounds: tuple[float, float]) -> bool:
    low, high = bounds
    return low * wanted <= words <= high * wanted


def length_score(written: int, asked: int) -> float:
    """0 to 100: 100·max(0, 1 − (y/x − 1)/3) for y written > x asked, else 100·max(0, 1 − (x/y − 1)/2).

    LongWriter (Bai et al., 2024), section 4.1.
    """
    if not written:
        return 0.0
    off = (written / asked - 1) / 3 if written > asked else (asked / written - 1) / 2
    return 100 * max(0.0, 1 - off)


def sections_to_resize(
    counts: Sequence[int], wanted: Sequence[int], bounds: tuple[float, float] = TOTAL_BOUNDS
) -> dict[int, int]:
    """Section (from 1) → its new number of words, for as few sections as bring the total within ``bounds``.

    The sections furthest from what was ``wanted`` of them come first. Empty if the total is within bounds. A total that is too
    long is cut to half the excess that the bounds allow, because each cut loses something.
    """
    total = sum(wanted)
    if is_within(sum(counts), total, bounds):
        return {}
    gap = total - sum(counts)
    if gap < 0:
        gap = round((1 + bounds[1]) / 2 * total) - sum(counts)
    off = {number: want - count for number, (count, want) in enumerate(zip(counts, wanted, strict=True), 1)}
    resized: dict[int, int] = {}
    for number in sorted(off, key=lambda number: off[number], reverse=gap > 0):
        if abs(gap) <= (0.02 * total if gap > 0 else 0):
            break
        count = counts[number - 1]
        limit = wanted[number - 1] * MAX_STRETCH if gap > 0 else wanted[number - 1]
        change = round(min(gap, max(limit - count, 0)) if gap > 0 else max(gap, min(limit - count, 0)))
        if change:
            resized[number] = count + change
            gap -= change
    return resized


@dataclass
class LengthCalibration:
    """Learns during a run how long a model's texts become, as shares of the requested length."""

    shares: list[float] = field(default_factory=list)

    def record(self, requested: int, written: int) -> None:
        if requested and written:
            self.shares.append(written / requested)

    def words_to_request(self, wanted: int) -> int:
        """The number to request so that ``wanted`` words are written."""
        usual = median(self.shares) if len(self.shares) >= MIN_SAMPLES else 1.0
        return round(wanted / min(max(usual, 0.6), 1.6))
