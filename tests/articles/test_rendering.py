"""Markdown as hostile input, and as something a person reads, hears and counts."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest

from articles.rendering import MAX_CHARACTERS, plain_text, to_html, toc, word_count


class Page(HTMLParser):
    """Every element with its attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](vbscript:x)",
    "[a](data:text/html,<script>alert(1)</script>)",
    "<javascript:alert(1)>",
    "![a](javascript:alert(1))",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "![a](https://evil.example/pixel.png)",
    "![a](//evil.example/pixel.png)",
    "![a](/media/../admin/logout/)",
    '![a"onerror="alert(1)](/media/x.png)',
    '[a](https://a.example "x\\" onclick=\\"alert(1)")',
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```html onload=alert(1)\nx\n```",
    "| a |\n|:-:|\n| <style>*{display:none}</style> |",
    "a[^1]\n\n[^1]: <script>alert(1)</script>",
    '# "><script>alert(1)</script>',
    "[a]: javascript:alert(1)\n\n[a]",
]


@pytest.mark.parametrize("markdown", HOSTILE)
def test_nothing_hostile_becomes_code_or_an_address(markdown: str) -> None:
    for tag, attributes in Page(to_html(markdown)).elements:
        assert tag not in {"script", "style", "svg", "iframe", "object", "form", "input"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert (attributes.get("href") or "#").startswith(("#", "https://", "http://", "mailto:"))
        assert (attributes.get("src") or "/media/").startswith("/media/")
        assert ".." not in (attributes.get("src") or "")


def test_signs_no_page_may_hold_are_left_out() -> None:
    assert to_html("a\0b\x08\ud800c") == "<p>abc</p>\n"


def test_it_shows_html_as_it_was_typed() -> None:
    assert "&lt;b&gt;raw&lt;/b&gt;" in to_html("<b>raw</b>")


def test_it_shows_our_pictures_and_the_words_of_others() -> None:
    html = to_html("![Ours](/media/a.png) ![Theirs & mine](https://evil.example/b.png)")
    assert Page(html).all("img") == [{"src": "/media/a.png", "alt": "Ours"}]
    assert "<em>Theirs &amp; mine</em>" in html
    assert "<img" not in to_html("![Ours](/media/a.png)", pictures=False)


def test_links_pass_on_no_endorsement() -> None:
    [link] = Page(to_html("[a](https://a.example)")).all("a")
    assert link == {"href": "https://a.example", "rel": "noopener nofollow ugc"}


def test_it_links_addresses_written_in_full_and_no_others() -> None:
    links = Page(to_html("https://a.example/b?c=1 Node.js e.g.this me@a.example")).all("a")
    assert [link["href"] for link in links] == ["https://a.example/b?c=1"]


def test_a_link_without_words_shows_its_address() -> None:
    assert ">https://a.example</a>" in to_html("[](https://a.example)")


def test_alignment_is_a_class() -> None:
    html = to_html("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert '<th class="ta-center">a</th>' in html
    assert '<td class="ta-right">2</td>' in html
    assert "style" not in html


def test_what_may_scroll_can_be_reached_by_keyboard() -> None:
    page = Page(to_html("| a |\n|---|\n| 1 |\n\n```\nx\n```\n\n    y\n"))
    assert page.all("div") == [{"class": "table-box", "role": "region", "aria-label": "Table", "tabindex": "0"}]
    assert [block["tabindex"] for block in page.all("pre")] == ["0", "0"]


def test_headings_begin_at_two_and_skip_no_level() -> None:
    headings = toc("# One\n#### Deep\n## Under one\n# Two\n###### A\n###### B")
    assert [heading.level for heading in headings] == [2, 3, 3, 2, 3, 3]


def test_headings_below_the_sixth_level_stay_there() -> None:
    markdown = "\n".join(f"{'#' * level} Level {level}" for level in range(1, 7))
    assert [heading.level for heading in toc(markdown)] == [2, 3, 4, 5, 6, 6]


def test_empty_headings_are_dropped() -> None:
    assert toc("#\n\n## ![](https://a.example/b.png)\n\n## Left") == [(2, "a-h-left", "Left")]


def test_the_table_of_contents_leads_to_the_headings() -> None:
    markdown = "# Été *doré*\n# Same\n# Same\n# Same 2\n# 日本\n# !?"
    listed = toc(markdown, prefix="preview")
    shown = [heading["id"] for heading in Page(to_html(markdown, prefix="preview")).all("h2")]
    assert [heading.id for heading in listed] == shown
    assert len(set(shown)) == 6
    assert listed[0] == (2, "preview-h-été-doré", "Été doré")
    assert listed[5].id == "preview-h-section"


NOTES = "One[^a], two[^b], one again[^a].\n\n[^a]: First.\n[^b]: Second.\n[^c]: Never mentioned.\n"


def test_notes_are_numbered_labelled_and_lead_back() -> None:
    html = to_html(NOTES, prefix="x")
    page = Page(html)
    links = {str(link.get("id") or link["href"]): link for link in page.all("a")}
    assert links["x-fnref1"]["aria-label"] == links["x-fnref1-2"]["aria-label"] == "Reference 1"
    assert links["x-fnref2"]["href"] == "#x-fn2"
    assert links["#x-fnref1-2"]["aria-label"] == "Back to reference 1-2"
    assert '<sup class="footnote-ref"><a href="#x-fn1"' in html
    assert page.all("section") == [{"class": "footnotes", "role": "doc-endnotes", "aria-label": "References"}]
    assert [item["id"] for item in page.all("li")] == ["x-fn1", "x-fn2"]
    assert "Never mentioned" not in html


def test_every_id_is_used_once_and_every_inner_link_leads_somewhere() -> None:
    elements = Page(to_html(NOTES + "\n# A\n# A\n")).elements
    ids = [str(attributes["id"]) for _, attributes in elements if "id" in attributes]
    inner = {str(attributes["href"])[1:] for _, attributes in elements if str(attributes.get("href")).startswith("#")}
    assert len(ids) == len(set(ids))
    assert inner <= set(ids)


def test_plain_text_is_what_a_reader_sees() -> None:
    markdown = "# A *title*\n\nSee [this](https://a.example)[^1] and\n`code`.\n\n- \\*item\\*\n\n```\nx = 1\n```\n\n[^1]: Note."
    assert plain_text(markdown) == "A title\n\nSee this and code.\n\n*item*\n\nx = 1"


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("", 0),
        ("---", 0),
        ("Two words", 2),
        ("don't count 1,000 marks — or dashes—here", 7),
        ("A [link text](https://a.example/long/path) counts[^1].\n\n[^1]: But its note does not.", 4),
        ("![A picture](/media/a.png)", 0),
        ("日本語のテスト、two words", 9),
        ("한국어 단어", 2),
        ("हिन्दी शब्द", 2),
        ("| a | b |\n|---|---|\n| c | d e |", 5),
    ],
)
def test_it_counts_the_words_a_reader_sees(markdown: str, words: int) -> None:
    assert word_count(markdown) == words


@pytest.mark.parametrize(
    "markdown",
    [
        "[" * 5000,
        "![" * 20_000,
        "[a](" * 20_000,
        "*a " * 30_000,
        ">" * 5000 + " a",
        "- " * 5000 + "a",
        "`" * 100_000,
        "http://" * 15_000,
        "# a\n" * 20_000,
        "[^1]" * 10_000 + "\n\n[^1]: x",
        "a" * 1_000_000,
    ],
    ids=lambda text: f"{text[:5].strip()} {len(text)}",
)
def test_no_input_keeps_a_reader_waiting(markdown: str) -> None:
    started = time.process_time()
    to_html(markdown)
    assert time.process_time() - started < 5


def test_a_text_that_is_too_long_is_shown_and_counted_as_it_is() -> None:
    markdown = "<b>*word*</b> " * (MAX_CHARACTERS // 10)
    assert to_html(markdown).startswith("<p>&lt;b&gt;*word*")
    assert word_count(markdown) == MAX_CHARACTERS // 10
    assert toc(markdown) == []
