"""Charts in an article: fenced blocks marked ``chart`` with a title, a unit, source marks and rows.

    ```chart
    title: Average rent
    unit: euros per m²
    source: [S3, S4]
    rows:
      Graz: 11.20
      Linz: 10.40
    ```

Code draws them, so every value has to be one that was found. A block that is not a valid chart becomes a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from agents.text.citations import cited_ids
from agents.text.escaping import escape_markdown
from agents.text.markdown import split_blocks
from agents.text.numbers import Number, located_numbers, stated_values
from agents.text.syntax import citation_mark

MIN_ROWS, MAX_ROWS = 2, 12
MAX_TITLE, MAX_UNIT, MAX_LABEL = 120, 30, 80

SOURCE_WORDS = {
    "en": "Source", "de": "Quelle", "fr": "Source", "es": "Fuente", "it": "Fonte", "pt": "Fonte", "nl": "Bron", "pl": "Źródło",
    "vi": "Nguồn", "sv": "Källa", "da": "Kilde", "nb": "Kilde", "ja": "出典", "zh": "来源",
}  # fmt: skip

_FENCE = re.compile(r"\A(?P<indent>[ ]{0,3})(?P<fence>`{3,}|~{3,})[ \t]*chart[ \t]*\n(?P<body>.*)\Z", re.DOTALL)
_FIELD = re.compile(r"(?P<name>title|unit|sources?)\s*:\s*(?P<value>.*)", re.IGNORECASE)
_ROW = re.compile(
    r"(?:[-*]\s+)?(?P<label>\S.*?)\s*:\s*(?P<value>[-−]?\s?[\d][\d.,'’ \u00a0\u202f]*)\s*(?:%|[^\W\d].{0,20})?"
)


@dataclass(frozen=True)
class ChartRow:
    """``shown`` is the value as it was written."""

    label: str
    shown: str
    value: float


@dataclass(frozen=True)
class Chart:
    """``sources`` are the ids of the passages that state the values."""

    title: str
    unit: str
    sources: tuple[str, ...]
    rows: tuple[ChartRow, ...]


def parse_chart(body: str) -> Chart | None:
    """The chart that the lines within a fence describe; None if they are not one that can be drawn."""
    fields: dict[str, str] = {}
    rows: list[ChartRow] = []
    for line in filter(None, map(str.strip, body.splitlines())):
        found = _FIELD.fullmatch(line)
        if found and not rows and found["name"].lower() not in fields:
            fields[found["name"].lower().rstrip("s")] = _unquoted(found["value"])
        elif line.lower() != "rows:":
            row = _row(line)
            if row is None:
                return None
            rows.append(row)
    title, unit = fields.get("title", ""), fields.get("unit", "")
    fits = 0 < len(title) <= MAX_TITLE and len(unit) <= MAX_UNIT and MIN_ROWS <= len(rows) <= MAX_ROWS
    if not fits or len({row.label for row in rows}) < len(rows):
        return None
    return Chart(title, unit, tuple(dict.fromkeys(cited_ids(fields.get("source", "")))), tuple(rows))


def check_chart(body: str, known_numbers: Collection[str]) -> list[str]:
    """What is wrong with the lines of a chart, one sentence each.

    ``known_numbers`` are values as ``agents.text.numbers.known_values`` returns them, of the findings or passages.
    """
    chart = parse_chart(body)
    if chart is None:
        return [
            f"A chart needs a title and {MIN_ROWS} to {MAX_ROWS} rows of the form “label: number”, each label once."
        ]
    known = frozenset(known_numbers)
    problems = [
        f"The value {row.shown} of “{row.label}” is not in the sources."
        for row in chart.rows
        if not known & (_number(row.shown).values | stated_values(f"{row.shown} {chart.unit}"))
    ]
    return problems if chart.sources else [*problems, "The chart names no source."]


def chart_table(chart: Chart) -> str:
    """The chart as a Markdown table."""
    heading = f"| {escape_markdown(chart.title)} | {escape_markdown(chart.unit)} |\n|---|---:|\n"
    return heading + "".join(f"| {escape_markdown(row.label)} | {escape_markdown(row.shown)} |\n" for row in chart.rows)


def charts_as_tables(markdown: str) -> str:
    """``markdown`` with its charts as tables, for formats that do not draw them."""
    return _map_charts(markdown, lambda block, body: _table_or_code(block, body))


def tables_for_bad_charts(markdown: str, known_numbers: Collection[str]) -> str:
    """``markdown`` with charts that have problems as tables, their source marks behind them."""

    def checked(block: str, body: str) -> str:
        if not check_chart(body, known_numbers):
            return block
        chart = parse_chart(body)
        mark = f"\n{citation_mark(chart.sources)}\n" if chart and chart.sources else ""
        return _table_or_code(block, body) + mark

    return _map_charts(markdown, checked)


def move_chart_sources(markdown: str, known: Collection[str], language: str = "en") -> str:
    """``markdown`` with the source marks of its charts in a paragraph behind them, "Source [S3]", to become footnotes.

    Marks within a block of code are left alone otherwise. Ids that are not in ``known`` are dropped.
    """
    word = SOURCE_WORDS.get(language.partition("-")[0].lower(), SOURCE_WORDS["en"])

    def moved(block: str, body: str) -> str:
        chart = parse_chart(body)
        lines = [
            line for line in block.splitlines(keepends=True) if not re.match(r"\s*sources?\s*:", line, re.IGNORECASE)
        ]
        kept = [id for id in chart.sources if id in known] if chart else []
        return "".join(lines) + (f"\n{word} {citation_mark(kept)}\n" if kept else "")

    return _map_charts(markdown, moved)


def chart_body(block: str) -> str | None:
    """The lines within the fence ``block``; None if it is not one of a chart."""
    found = _FENCE.match(block)
    if not found:
        return None
    lines = found["body"].rstrip().splitlines()
    if lines and re.fullmatch(rf"[ ]{{0,3}}{re.escape(found['fence'][0])}{{{len(found['fence'])},}}[ \t]*", lines[-1]):
        lines.pop()
    return "\n".join(lines)


def _map_charts(markdown: str, change: Callable[[str, str], str]) -> str:
    if "chart" not in markdown:
        return markdown
    parts = []
    for block, is_fence in split_blocks(markdown, {"fence"}):
        body = chart_body(block) if is_fence else None
        parts.append(block if body is None else change(block, body))
    return "".join(parts)


def _table_or_code(block: str, body: str) -> str:
    """The table of a chart; of lines that are none, a block of plain text."""
    chart = parse_chart(body)
    return f"\n{chart_table(chart)}" if chart else block.replace("chart", "text", 1)


def _row(line: str) -> ChartRow | None:
    found = _ROW.fullmatch(line)
    label = _unquoted(found["label"]) if found else ""
    if not found or not 0 < len(label) <= MAX_LABEL:
        return None
    shown = found["value"].strip()
    values = _number(shown).values
    if not values:
        return None
    value = max(map(float, values))  # 1,500 is a thousand, not 1.5, unless it is written 1.5
    return ChartRow(label, shown, -value if shown[0] in "-−" else value)


def _number(shown: str) -> Number:
    _, numbers = located_numbers(shown)
    return numbers[0][2] if len(numbers) == 1 else Number(shown, frozenset())


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1].strip() if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
