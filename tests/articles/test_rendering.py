"""Markdown to HTML and plain text: hostile input, accessibility, annotations and word counts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from agents.text.markdown import MAX_CHARACTERS, MAX_MARKS, count_words, plain_text
from articles.rendering.annotations import Annotation, Verdict
from articles.rendering.markdown import to_annotated_html, to_html
from tests.growth import in_proportion


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
def test_hostile_markup_becomes_neither_code_nor_a_link(markdown: str) -> None:
    for tag, attributes in Page(to_html(markdown)).elements:
        assert tag not in {"script", "style", "svg", "iframe", "object", "form", "input"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert (attributes.get("href") or "#").startswith(("#", "https://", "http://", "mailto:"))
        assert (attributes.get("src") or "/media/").startswith("/media/")
        assert ".." not in (attributes.get("src") or "")


def test_invalid_characters_are_removed() -> None:
    assert to_html("a\0b\x08\ud800c") == "<p>abc</p>\n"


def test_html_is_escaped() -> None:
    assert "&lt;b&gt;raw&lt;/b&gt;" in to_html("<b>raw</b>")


def test_own_images_are_shown_and_others_replaced_by_their_text() -> None:
    html = to_html("![Ours](/media/a.png) ![Theirs & mine](https://evil.example/b.png)")
    assert Page(html).all("img") == [{"src": "/media/a.png", "alt": "Ours"}]
    assert "<em>Theirs &amp; mine</em>" in html
    assert "<img" not in to_html("![Ours](/media/a.png)", images=False)


def test_links_are_nofollow() -> None:
    [link] = Page(to_html("[a](https://a.example)")).all("a")
    assert link == {"href": "https://a.example", "rel": "noopener nofollow ugc"}


def test_only_complete_urls_are_linked() -> None:
    links = Page(to_html("https://a.example/b?c=1 Node.js e.g.this me@a.example")).all("a")
    assert [link["href"] for link in links] == ["https://a.example/b?c=1"]


def test_a_link_without_text_shows_its_url() -> None:
    assert ">https://a.example</a>" in to_html("[](https://a.example)")


def test_alignment_is_a_class() -> None:
    html = to_html("| a | b |\n|:-:|--:|\n| 1 | 2 |")
    assert '<th class="ta-center">a</th>' in html
    assert '<td class="ta-right">2</td>' in html
    assert "style" not in html


def test_scrollable_elements_are_focusable() -> None:
    page = Page(to_html("| a |\n|---|\n| 1 |\n\n```\nx\n```\n\n    y\n"))
    assert page.all("div") == [{"class": "table-box", "role": "region", "aria-label": "Table", "tabindex": "0"}]
    assert [block["tabindex"] for block in page.all("pre")] == ["0", "0"]


def headings(markdown: str) -> list[tuple[int, str, str]]:
    """Level, id and text of each."""
    found = re.findall(r'<h(\d) id="([^"]+)"[^>]*>(.*?)</h\1>', to_html(markdown, prefix="p"), re.DOTALL)
    return [(int(level), id, re.sub("<[^>]+>", "", words)) for level, id, words in found]


def test_headings_start_at_level_2_and_skip_none() -> None:
    shown = headings("# One\n#### Deep\n## Under one\n# Two\n###### A\n###### B")
    assert [level for level, _, _ in shown] == [2, 3, 3, 2, 3, 3]


def test_headings_are_at_most_level_6() -> None:
    markdown = "\n".join(f"{'#' * level} Level {level}" for level in range(1, 7))
    assert [level for level, _, _ in headings(markdown)] == [2, 3, 4, 5, 6, 6]


def test_empty_headings_are_dropped() -> None:
    assert headings("#\n\n## ![](https://a.example/b.png)\n\n## Left") == [(2, "p-h-left", "Left")]


def test_each_heading_has_a_unique_id() -> None:
    shown = headings("# Été *doré*\n# Same\n# Same\n# Same 2\n# 日本\n# !?")
    assert len({id for _, id, _ in shown}) == 6
    assert shown[0] == (2, "p-h-été-doré", "Été doré")
    assert shown[5][1] == "p-h-section"


def annotated(markdown: str, *sentences: str, verdict: Verdict = "not") -> tuple[str, set[str]]:
    """The text annotated with ``sentences``, whose refs are 1, 2, 3 …, and the refs found in it."""
    found = [Annotation(str(number), sentence, verdict) for number, sentence in enumerate(sentences, 1)]
    rendered = to_annotated_html(markdown, found)
    return rendered.html, rendered.found


def marks_of(html: str) -> list[str]:
    """The marked parts of the text and the links to the evidence, in order."""
    pieces = re.findall(r'<span class="doubted is-not">(.*?)</span>|<a class="evidence-link[^>]*href="#(.*?)"', html)
    return [text or f"→ {target}" for text, target in pieces]


class TestAnnotations:
    def test_an_unsupported_sentence_is_marked_and_its_footnote_linked_to_the_evidence(self) -> None:
        html, found = annotated("One is so. Two is *not* so.[^1] Three.\n\n[^1]: Note.", "Two is not so.")
        assert found == {"1"}
        assert marks_of(html) == ["Two is ", "not", " so.", "→ evidence-1"]
        assert '</sup><a class="evidence-link is-not" id="a-ev1"' in html
        [link] = [link for link in Page(html).all("a") if link.get("class") == "evidence-link is-not"]
        assert link["aria-label"] == "Not supported by its sources: see the passage"

    def test_a_supported_sentence_is_only_linked(self) -> None:
        html, _ = annotated("So it is.", "So it is.", verdict="supported")
        assert "doubted" not in html
        assert 'class="evidence-link is-supported"' in html

    @pytest.mark.parametrize(
        "markdown",
        [
            "Roofs run **11 °C** cooler.",
            "Roofs run\n11 °C cooler [S3].",
            "Roofs run [11 °C](https://a.example) cooler!",
            "Why? Roofs run `11` °C cooler.[^1]\n\n[^1]: x",
            "> - Roofs run 11 °C _cooler_",
            "| Roofs run | 11 °C cooler |\n|---|---|\n| a | b |",
            "Well. “ROOFS run 11 °C cooler.” And so on.",
        ],
    )
    def test_a_sentence_is_found_despite_its_markup(self, markdown: str) -> None:
        assert annotated(markdown, "Roofs run 11 °C cooler.")[1] == {"1"}

    @pytest.mark.parametrize(
        "markdown",
        [
            "It is not true that roofs run 11 °C cooler.",
            "Roofs run 11 °C cooler, some say.",
            "Roofs run 1.1 °C cooler.",
            "Roofs run -11 °C cooler.",
            "Roofs run 11 % cooler.",
            "Roofs run 11 °C\n\ncooler.",
            "A text without it.[^1]\n\n[^1]: Roofs run 11 °C cooler.",
            "",
        ],
    )
    def test_a_changed_sentence_is_not_found(self, markdown: str) -> None:
        html, found = annotated(markdown, "Roofs run 11 °C cooler.")
        assert found == set()
        assert html == to_html(markdown)

    def test_the_same_sentence_twice_is_found_twice(self) -> None:
        html, found = annotated("So it is. So it is.\n\nSo it is.", "So it is.", "So it is.")
        assert found == {"1", "2"}
        assert marks_of(html) == ["So it is.", "→ evidence-1", "So it is.", "→ evidence-2"]

    def test_links_are_not_nested(self) -> None:
        html, _ = annotated("[So it is.](https://a.example) Yes.", "So it is.")
        assert '</a><a class="evidence-link' in html

    def test_a_reference_shows_its_passage(self) -> None:
        passage = '“Cooler" onmouseover="alert(1)'
        found = [Annotation("1-1", "So.", "supported", {"1": passage})]
        html = to_annotated_html("So.[^1][^2] Else.[^1]\n\n[^1]: a\n[^2]: b", found).html
        titles = [link.get("title") for link in Page(html).all("a") if str(link.get("id")).startswith("a-fnref")]
        assert titles == [passage, None, None]

    @pytest.mark.parametrize("markdown", HOSTILE)
    def test_annotations_add_no_hostile_markup(self, markdown: str) -> None:
        html, _ = annotated(markdown, markdown, plain_text(markdown), "a", "alert(1)")
        for tag, attributes in Page(html).elements:
            assert tag not in {"script", "style", "svg", "iframe", "object", "form", "input"}
            assert not [name for name in attributes if name.startswith("on") or name == "style"]

    def test_annotations_keep_the_text(self) -> None:
        html, found = annotated(SAMPLE, *plain_text(SAMPLE).split("\n\n"))
        assert found
        without = re.sub(r'<span class="doubted is-not">|</span>|<a class="evidence-link[^>]*></a>', "", html)
        assert without == to_html(SAMPLE)

    @pytest.mark.parametrize(
        ("unit", "times", "end"),
        [("a ", 40_000, ""), ("a. ", 20_000, ""), ("[S1]", 20_000, ""), (".[^1]", 8_000, "\n\n[^1]: x")],
    )
    def test_annotating_takes_time_in_proportion_to_the_text(self, unit: str, times: int, end: str) -> None:
        assert in_proportion(lambda text: annotated(text, *["a a a a b", "a"] * 50), unit, times, end)


SAMPLE = """# A *title*

See [this **thing**](https://a.example)[^1] and `code`\\
goes on\nhere. ![p](/media/a.png) Last [S1].

- One.[^2]
- Two [link.](https://b.example)

| a | b |
|---|---|
| *c* | d.[^1] |

```
x = 1
```

[^1]: Note.
[^2]: Other."""


NOTES = "One[^a], two[^b], one again[^a].\n\n[^a]: First.\n[^b]: Second.\n[^c]: Never mentioned.\n"


def test_the_list_of_references_is_named_in_the_language_of_the_article() -> None:
    html = to_annotated_html(NOTES, [], language="de-AT").html
    assert html == to_html(NOTES, language="de")
    links = {str(link.get("id") or link["href"]): link for link in Page(html).all("a")}
    assert links["a-fnref1"]["aria-label"] == "Quelle 1"
    assert links["#a-fnref1-2"]["aria-label"] == "Zurück zu Verweis 1-2"
    assert '<h2 id="a-references">Quellen</h2>' in html
    assert "eference" not in html.replace("a-references", "")


def test_footnotes_are_numbered_labelled_and_link_back() -> None:
    html = to_html(NOTES, prefix="x")
    page = Page(html)
    links = {str(link.get("id") or link["href"]): link for link in page.all("a")}
    assert links["x-fnref1"]["aria-label"] == links["x-fnref1-2"]["aria-label"] == "Reference 1"
    assert links["x-fnref2"]["href"] == "#x-fn2"
    assert links["#x-fnref1-2"]["aria-label"] == "Back to reference 1-2"
    assert '<sup class="footnote-ref"><a href="#x-fn1"' in html
    assert page.all("section") == [{"class": "footnotes", "role": "doc-endnotes", "aria-labelledby": "x-references"}]
    assert '<h2 id="x-references">References</h2>' in html
    assert [item["id"] for item in page.all("li")] == ["x-fn1", "x-fn2"]
    assert "Never mentioned" not in html


def test_ids_are_unique_and_internal_links_have_targets() -> None:
    elements = Page(to_html(NOTES + "\n# A\n# A\n")).elements
    ids = [str(attributes["id"]) for _, attributes in elements if "id" in attributes]
    inner = {str(attributes["href"])[1:] for _, attributes in elements if str(attributes.get("href")).startswith("#")}
    assert len(ids) == len(set(ids))
    assert inner <= set(ids)


def test_plain_text_is_the_visible_text() -> None:
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
def test_visible_words_are_counted(markdown: str, words: int) -> None:
    assert count_words(markdown) == words


@pytest.mark.parametrize(
    ("unit", "times", "end"),
    [
        ("[", 5000, ""),
        ("![", 8000, ""),
        ("[a](", 8000, ""),
        ("*a ", 12_000, ""),
        (">", 5000, " a"),
        ("- ", 5000, "a"),
        ("`", 100_000, ""),
        ("http://", 6000, ""),
        ("http://a", 3000, ""),
        ("//a.b/(", 3000, ""),
        ("# a\n", 6000, ""),
        ("[^1]", 8000, "\n\n[^1]: x"),
        ("a", 1_000_000, ""),
    ],
)
def test_rendering_takes_time_in_proportion_to_the_text(unit: str, times: int, end: str) -> None:
    assert in_proportion(to_html, unit, times, end)


@pytest.mark.parametrize("mark", ["[", "*a", "~~a"])
def test_a_text_of_markup_characters_only_is_shown_unformatted(mark: str) -> None:
    text = mark * (MAX_MARKS + 1)
    assert to_html(text) == f"<p>{text}</p>"


def test_urls_are_linked_next_to_an_overlong_word() -> None:
    html = to_html(f"See https://example.org/a.\n\n{'x' * 3000} https://example.org/b")
    assert 'href="https://example.org/a"' in html
    assert 'href="https://example.org/b"' not in html


def test_an_overlong_text_is_shown_and_counted_as_plain_text() -> None:
    markdown = "<b>*word*</b> " * (MAX_CHARACTERS // 10)
    assert to_html(markdown).startswith("<p>&lt;b&gt;*word*")
    assert count_words(markdown) == MAX_CHARACTERS // 10
