"""A chart block becomes an accessible SVG in HTML and a table in every other format."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

import pytest

from agents.text.chart import (
    chart_body,
    charts_as_tables,
    check_chart,
    move_chart_sources,
    parse_chart,
    tables_for_bad_charts,
)
from agents.text.numbers import known_values
from articles.exports import export
from articles.rendering.markdown import to_html
from tests.articles.export_samples import article, words

BODY = """title: Average rent
unit: euros per m²
source: [S3, S4]
rows:
  Graz: 11.20
  Linz: 10.40"""
BLOCK = f"```chart\n{BODY}\n```\n"
KNOWN = known_values(["Graz 11.20, Linz 10.40"])


def svg(markdown: str) -> str:
    found = re.search(r"<svg.*?</svg>", to_html(markdown), re.DOTALL)
    assert found
    return found[0]


def test_a_chart_has_a_title_a_unit_sources_and_rows() -> None:
    chart = parse_chart(BODY)
    assert chart
    assert (chart.title, chart.unit, chart.sources) == ("Average rent", "euros per m²", ("S3", "S4"))
    assert [(row.label, row.shown, row.value) for row in chart.rows] == [
        ("Graz", "11.20", 11.2),
        ("Linz", "10.40", 10.4),
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [("A: 1,500", 1500), ("A: 1.500,5", 1500.5), ("A: 0,3", 0.3), ("A: −4", -4), ("- A: 13 %", 13), ("A: b: 7", 7)],
)
def test_values_may_be_written_in_any_notation(line: str, value: float) -> None:
    chart = parse_chart(f"title: T\n{line}\nZ: 1")
    assert chart
    assert chart.rows[0].value == value


@pytest.mark.parametrize(
    "body",
    [
        "",
        "title: T\nA: 1",
        "A: 1\nB: 2",
        "title: T\nA: one\nB: 2",
        "title: T\nA: 1\nA: 2",
        "title: T\n" + "\n".join(f"A{n}: 1" for n in range(13)),
        "title: T\n" + "x" * 81 + ": 1\nB: 2",
        "title: T\nA: 1 2 3 4 x\nB: 2; 3",
    ],
)
def test_what_cannot_be_drawn_is_no_chart(body: str) -> None:
    assert parse_chart(body) is None
    assert check_chart(body, KNOWN)
    assert "<svg" not in to_html(f"```chart\n{body}\n```")


def test_every_value_has_to_be_known_and_a_source_named() -> None:
    assert check_chart(BODY, KNOWN) == []
    assert check_chart(BODY.replace("10.40", "10.50"), KNOWN) == ["The value 10.50 of “Linz” is not in the sources."]
    assert check_chart(BODY.replace("source: [S3, S4]\n", ""), KNOWN) == ["The chart names no source."]
    in_millions = "title: Cost\nunit: million euros\nsource: [S1]\nTram: 240\nBus: 1.5"
    assert check_chart(in_millions, known_values(["240 million, 1,500,000"])) == []


def test_a_bad_chart_becomes_a_table_with_its_marks() -> None:
    assert tables_for_bad_charts(f"Text.\n\n{BLOCK}\nMore.", KNOWN) == f"Text.\n\n{BLOCK}\nMore."
    bad = tables_for_bad_charts(f"Text.\n\n{BLOCK.replace('10.40', '99')}\nMore.", KNOWN)
    assert "```" not in bad
    assert "| Linz | 99 |" in bad
    assert "\n[S3, S4]\n" in bad
    assert tables_for_bad_charts("```chart\nnothing\n```\n", KNOWN) == "```text\nnothing\n```\n"


def test_the_source_marks_move_behind_the_chart() -> None:
    moved = move_chart_sources(f"{BLOCK}\nMore.", {"S3"}, "de-AT")
    assert "source" not in moved
    assert "```\n\nQuelle [S3]\n" in moved
    assert "Source" not in move_chart_sources(BLOCK, set())
    code = "```text\nsource: [S3]\n```\n"
    assert move_chart_sources(code, {"S3"}) == code


def test_the_drawing_is_accessible_and_well_formed() -> None:
    root = fromstring(svg(BLOCK))
    assert root.attrib["role"] == "img"
    title, desc = root.find("title"), root.find("desc")
    assert title is not None
    assert desc is not None
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {desc.attrib['id']}"
    assert (title.text, desc.text) == ("Average rent", "Graz: 11.20; Linz: 10.40")
    assert [text.text for text in root.iter("text")] == ["Graz", "11.20", "Linz", "10.40"]
    assert [rect.attrib["width"] for rect in root.iter("rect")] == ["100.00%", "92.86%"]
    html = to_html(BLOCK)
    assert "style=" not in html
    assert "<figcaption>Average rent (euros per m²)</figcaption>" in html


def test_two_charts_of_a_page_have_different_ids() -> None:
    ids = re.findall(r'\bid="([^"]+)"', to_html(BLOCK + "\n" + BLOCK, prefix="x"))
    assert len(ids) == len(set(ids)) == 4
    assert all(id.startswith("x-") for id in ids)


def test_negative_values_begin_left_of_zero() -> None:
    root = fromstring(svg("```chart\ntitle: T\nA: -5\nB: 15\n```"))
    assert [(rect.attrib["x"], rect.attrib["width"]) for rect in root.iter("rect")] == [
        ("0.00%", "25.00%"),
        ("25.00%", "75.00%"),
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        "</text></svg><script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "<style>*{display:none}</style>",
        "&lt;script&gt;",
        "]]><!--",
    ],
)
def test_no_text_of_a_chart_becomes_markup(hostile: str) -> None:
    html = to_html(f"```chart\ntitle: {hostile}\nunit: {hostile[:30]}\n{hostile[:55]}: 1\nB: 2\n```")
    assert "<svg" in html
    assert not re.search(r"<(?:script|img|style|!--)", html)
    fromstring(svg(f"```chart\ntitle: {hostile}\nunit: {hostile[:30]}\n{hostile[:55]}: 1\nB: 2\n```"))


def test_a_chart_in_a_quotation_or_list_is_drawn_too() -> None:
    quoted = "".join(f"> {line}\n" for line in BLOCK.splitlines())
    assert "<svg" in to_html(quoted)
    assert "<svg" in to_html("- item\n\n" + "".join(f"  {line}\n" for line in BLOCK.splitlines()))


def test_other_code_is_left_alone() -> None:
    assert chart_body("```python\ntitle: T\n```") is None
    code = "```charts\nA: 1\n```\n\nThe chart `chart` is here.\n"
    assert charts_as_tables(code) == code
    assert "<svg" not in to_html(code)


def test_the_html_file_draws_it_and_the_markdown_file_has_a_table() -> None:
    document = article(f"Text.\n\n{BLOCK}\nMore.")
    assert b"<svg" in export(document, "html")
    assert "| Graz | 11.20 |" in export(document, "md").decode()
    assert "```" not in export(document, "md").decode()


@pytest.mark.parametrize("format", ["pdf", "docx", "epub"])
def test_the_other_files_have_a_table(format: str) -> None:
    text = words(export(article(f"Text.\n\n{BLOCK}\nMore."), format), format)
    assert "Average rent" in text
    assert "10.40" in text
    assert "title:" not in text
