"""Checked sentences are found in the finished text, and passages are marked where a sentence shares their words."""

from __future__ import annotations

import re

import pytest

from agents.text.citations import compile_references
from agents.text.evidence import cited_sentences
from articles.evidence.results import quote
from articles.pages.evidence import diff, highlight_shared
from articles.rendering.annotations import Annotation
from articles.rendering.markdown import to_annotated_html
from tests.browser import step_outputs

WRITTEN = """Roofs run **11 °C** cooler [S1], and *rain* drains later [S2]. Is that so? Yes, says the *survey* [S1, S2].
[S2] A wrapped
line follows “in quotes.” [S1]

> Quoted, e.g. by Dr. Smith, at £4.1 m [S1]. It works.The end [S2]!

- An item with `code` [S1]
- A [link](https://a.example/x_(y)) and more [S2]: so.

| What | How much |
|---|--:|
| Beds [S1] | 95–180 kg/m² [S2] |

屋上緑化は気温を下げる [S1]。それは 3.5 °C だ [S2]。

Tất cả mái nhà đều phẳng [S1]… Escaped \\*stars\\* stay [S2].
"""


class TestMatching:
    def test_each_checked_sentence_is_found_in_the_finished_text(self) -> None:
        found = [
            Annotation(str(cited.number), cited.plain, "partly") for cited in cited_sentences(WRITTEN) if cited.plain
        ]
        assert len(found) >= 12
        content, _ = compile_references(WRITTEN, step_outputs.reading())
        for text in (content, WRITTEN):
            in_text = to_annotated_html(text, found).found
            assert [item.sentence for item in found if item.ref not in in_text] == []


class TestMarks:
    @pytest.mark.parametrize(
        ("passage", "sentence", "marked"),
        [
            ("In 2019 the council counted 312 roofs.", "It counted 312 of them.", ["counted 312"]),
            ("It is as it is and was.", "It is what it was, and is.", []),
            ("To be or not to be, he said.", "He wrote “to be or not to be”.", ["To be or not to be"]),
            ("Planted roof, warm room.", "Planted roofs.", ["Planted"]),
            ("屋上緑化は気温を下げる。", "屋上緑化がある。", ["屋上緑化"]),
            ("Nothing of it.", "Something else.", []),
            ("1,000 kg and 1.000 kg", "1,000 kg", ["1,000"]),
        ],
    )
    def test_words_shared_with_a_passage_are_highlighted(self, passage: str, sentence: str, marked: list[str]) -> None:
        html = highlight_shared(passage, sentence)
        assert re.findall("<mark>(.*?)</mark>", html) == marked
        assert re.sub("</?mark>", "", html) == passage

    def test_a_passage_is_escaped(self) -> None:
        assert (
            highlight_shared("<b>Planted</b> & so", "Planted so") == "&lt;b&gt;<mark>Planted</mark>&lt;/b&gt; &amp; so"
        )

    def test_a_rewording_is_shown_as_a_word_diff(self) -> None:
        html = diff("Beds weigh 250 kg <b>", "Beds weigh 95–180 kg each")
        assert html == "Beds weigh <del>250</del> <ins>95–180</ins> kg <del>&lt;b&gt;</del> <ins>each</ins>"
        long = "word " * 500
        assert diff(long, "short") == f"<del>{long}</del> <ins>short</ins>"

    def test_a_long_passage_is_shortened(self) -> None:
        assert quote("Two\nlines ") == "“Two lines”"
        assert len(quote("word " * 500)) < 410
