"""References that repeat the source of the next one."""

from __future__ import annotations

import re

import pytest

from articles.rendering.markdown import to_html


class TestRepeatedCitations:
    """Of neighbouring references to the same source the page shows the last number; all stay links."""

    @pytest.mark.parametrize(
        ("text", "repeated"),
        [
            ("One.[^1] Two.[^1] Three.[^1]", [True, True, False]),
            ("One.[^1] Two.[^2] Three.[^1]", [False, False, False]),
            ("One.[^1][^2] Two.[^2][^1] Three.[^1]", [True, True, False, False, False]),
            ("One.[^1][^1]", [True, False]),
            ("One.[^1]\n\nTwo.[^1]", [False, False]),
            ("- One.[^1]\n- Two.[^1]", [False, False]),
        ],
    )
    def test_within_a_block_only(self, text: str, repeated: list[bool]) -> None:
        html = to_html(f"{text}\n\n[^1]: A.\n[^2]: B.")
        found = re.findall(r'<sup class="footnote-ref( is-repeated)?"><a href="#a-fn\d"', html)
        assert [bool(each) for each in found] == repeated
