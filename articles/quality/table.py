"""Scores as a table for a person, and what to look at below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from articles.quality.citing import Ratio
from articles.quality.scores import Quality

HEADS = ("", "words", "asked", "length", "cited", "markers", "exact", "repeated", "headings", "ease", "SEO", "")
LONGEST_TITLE = 48
MOST_PROBLEMS = 8
NONE = "–"


def table(scored: Sequence[Quality]) -> str:
    """A line an article and one of medians; then, for each, what is not as it should be."""
    rows = [HEADS, *(row(quality) for quality in scored)]
    if len(scored) > 1:
        rows.append(medians(scored))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(cells[:-1], widths, strict=False)) for cells in rows]
    told = [f"{line}  {cells[-1]}".rstrip() for line, cells in zip(lines, rows, strict=True)]
    return "\n".join([*told, *(line for quality in scored for line in problems(quality))])


def row(quality: Quality) -> tuple[str, ...]:
    return (
        str(quality.number or ""),
        f"{quality.words:,}",
        f"{quality.asked:,}",
        f"{quality.length:.0f}",
        percent(quality.cited.share),
        fraction(quality.markers),
        fraction(quality.exact),
        percent(quality.repetition.share, places=1),
        verdict(quality.headings),
        f"{quality.reading_ease.score:.0f}" if quality.reading_ease else NONE,
        verdict(quality.seo),
        shortened(quality.title),
    )


def medians(scored: Sequence[Quality]) -> tuple[str, ...]:
    """The middle of each figure, of the articles that have it."""

    def middle(figure: Callable[[Quality], float | None]) -> float | None:
        return median(found) if (found := [value for one in scored if (value := figure(one)) is not None]) else None

    ease = middle(lambda quality: quality.reading_ease.score if quality.reading_ease else None)
    return (
        "",
        f"{middle(lambda quality: quality.words):,.0f}",
        f"{middle(lambda quality: quality.asked):,.0f}",
        f"{middle(lambda quality: quality.length):.0f}",
        percent(middle(lambda quality: quality.cited.share)),
        percent(middle(lambda quality: quality.markers.share)),
        percent(middle(lambda quality: quality.exact.share)),
        percent(middle(lambda quality: quality.repetition.share), places=1),
        "",
        NONE if ease is None else f"{ease:.0f}",
        "",
        f"the median of {len(scored)}",
    )


def problems(quality: Quality) -> list[str]:
    """What to look at in one article, under its title."""
    found = quality.problems
    if not found:
        return []
    name = f"{quality.number} " if quality.number else ""
    more = [f"  … and {len(found) - MOST_PROBLEMS} more"] if len(found) > MOST_PROBLEMS else []
    return ["", f"{name}{quality.title}", *(f"  {problem}" for problem in found[:MOST_PROBLEMS]), *more]


def percent(share: float | None, places: int = 0) -> str:
    return NONE if share is None else f"{100 * share:.{places}f} %"


def fraction(part: Ratio) -> str:
    return f"{part.good}/{part.total}" if part.total else NONE


def verdict(found: list[str] | None) -> str:
    return NONE if found is None else str(len(found)) if found else "ok"


def shortened(title: str) -> str:
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1].rstrip() + "…"
