"""Draws a chart as an accessible SVG: horizontal bars with their labels and values as text.

Positions are percentages and sizes are pixels, so that the letters keep their size on every screen. Colours are presentation
attributes that can be read on light and dark pages; the Content Security Policy forbids style attributes.
"""

from __future__ import annotations

import textwrap

from django.utils.html import escape

from agents.text.chart import Chart, ChartRow

BAR_COLOUR = "#3b7dd8"
"""Contrast of more than 3 : 1 with white and with the dark page."""

FONT, LINE, BAR, GAP = 15, 20, 14, 14
LABEL_CHARACTERS = 34
"""Characters of a line of a label, so that its value has room on a phone."""


def chart_svg(chart: Chart, id: str) -> str:
    """A figure with a caption. ``id`` has to be unique in the page."""
    low, high = min(0.0, *(row.value for row in chart.rows)), max(0.0, *(row.value for row in chart.rows))
    span = (high - low) or 1.0
    parts, y = list[str](), 0
    for row in chart.rows:
        drawn, y = _row(row, chart.unit, y, low, span)
        parts.append(drawn)
    unit = f" ({escape(chart.unit)})" if chart.unit else ""
    values = "; ".join(f"{row.label}: {_with_unit(row, chart.unit)}" for row in chart.rows)
    return (
        f'<figure class="chart"><figcaption>{escape(chart.title)}{unit}</figcaption>'
        f'<svg role="img" aria-labelledby="{id}-title {id}-desc" width="100%" height="{y - GAP + 2}" direction="ltr"'
        f' font-family="system-ui, sans-serif" font-size="{FONT}" fill="currentColor">'
        f'<title id="{id}-title">{escape(chart.title)}</title><desc id="{id}-desc">{escape(values)}</desc>'
        f"{''.join(parts)}</svg></figure>\n"
    )


def _row(row: ChartRow, unit: str, y: int, low: float, span: float) -> tuple[str, int]:
    """The label, value and bar of a row that begins at ``y``, and where the next one begins."""
    lines = textwrap.wrap(row.label, LABEL_CHARACTERS) or [row.label]
    texts = [f'<text x="0" y="{y + FONT + number * LINE}">{escape(line)}</text>' for number, line in enumerate(lines)]
    top = y + len(lines) * LINE + 3
    shown = escape(_with_unit(row, unit))
    value = f'<text x="100%" y="{top - LINE + FONT - 3}" text-anchor="end" font-weight="600">{shown}</text>'
    start = (min(row.value, 0.0) - low) / span * 100
    width = max(abs(row.value) / span * 100, 0.3)
    bar = f'<rect x="{start:.2f}%" y="{top}" width="{width:.2f}%" height="{BAR}" rx="2" fill="{BAR_COLOUR}"></rect>'
    return "".join(texts) + value + bar, top + BAR + GAP


def _with_unit(row: ChartRow, unit: str) -> str:
    """Only a short unit fits beside a value; a longer one stands in the caption."""
    return f"{row.shown} {unit}" if unit and len(unit) <= 3 else row.shown
