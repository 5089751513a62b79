"""Scores as a table, with the problems below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from articles.quality.citations import Ratio
from articles.quality.scores import Quality

HEADS = ("", "words", "asked", "length", "cited", "footnotes", "exact", "repeated", "headings", "ease", "SEO", "")
MAX_TITLE = 48
MAX_PROBLEMS = 8
NONE = "–"


def table(scored: Sequence[Quality]) -> str:
    """A line for each article and one for the medians, then the problems of each."""
    rows = [HEADS, *(row(quality) for quality in scored)]
    if len(scored) > 1:
        rows.append(medians(scored))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(cells[:-1], widths, strict=False)) for cells in rows]
    lines = [f"{line}  {cells[-1]}".rstrip() for line, cells in zip(lines, rows, strict=True)]
    return "\n".join([*lines, *(line for quality in scored for line in problems(quality))])


def row(quality: Quality) -> tuple[str, ...]:
    return (
        str(quality.number or ""),
        f"{quality.words:,}",
        f"{quality.asked:,}",
        f"{quality.length:.0f}",
        percent(quality.cited.share),
        fraction(quality.footnotes),
        fraction(quality.exact),
        percent(quality.repetition.share, places=1),
        verdict(quality.headings),
        f"{quality.reading_ease.score:.0f}" if quality.reading_ease else NONE,
        verdict(quality.seo),
        shortened(quality.title),
    )


def medians(scored: Sequence[Quality]) -> tuple[str, ...]:
    """The median of each score, of the articles that have it."""

    def median_of(score: Callable[[Quality], float | None]) -> float | None:
        values = [value for one in scored if (value := score(one)) is not None]
        return median(values) if values else None

    ease = median_of(lambda quality: quality.reading_ease.score if quality.reading_ease else None)
    return (
        "",
        f"{median_of(lambda quality: quality.words):,.0f}",
        f"{median_of(lambda quality: quality.asked):,.0f}",
        f"{median_of(lambda quality: quality.length):.0f}",
        percent(median_of(lambda quality: quality.cited.share)),
        percent(median_of(lambda quality: quality.footnotes.share)),
        percent(median_of(lambda quality: quality.exact.share)),
        percent(median_of(lambda quality: quality.repetition.share), places=1),
        "",
        NONE if ease is None else f"{ease:.0f}",
        "",
        f"the median of {len(scored)}",
    )


def problems(quality: Quality) -> list[str]:
    """The problems of one article, under its title."""
    found = quality.problems
    if not found:
        return []
    name = f"{quality.number} " if quality.number else ""
    more = [f"  … and {len(found) - MAX_PROBLEMS} more"] if len(found) > MAX_PROBLEMS else []
    return ["", f"{name}{quality.title}", *(f"  {problem}" for problem in found[:MAX_PROBLEMS]), *more]


def percent(share: float | None, places: int = 0) -> str:
    return NONE if share is None else f"{100 * share:.{places}f} %"


def fraction(part: Ratio) -> str:
    return f"{part.good}/{part.total}" if part.total else NONE


def verdict(found: list[str] | None) -> str:
    return NONE if found is None else str(len(found)) if found else "ok"


def shortened(title: str) -> str:
    return title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1].rstrip() + "…"
