"""The shared patterns for marks and footnotes, and the helpers built on them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agents.text.markdown import leveled, plain_text, strip_footnotes
from agents.text.syntax import CITATION_MARK, FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE, citation_mark
from tests.growth import in_proportion

ROOT = Path(__file__).parents[2]


def test_a_mark_is_recognised_as_it_is_written() -> None:
    for ids in (["S3"], ["S3", "S14", "S5"]):
        found = CITATION_MARK.fullmatch(citation_mark(ids))
        assert found
        assert found["ids"].split(", ") == ids


@pytest.mark.parametrize("text", ["[3]", "[S]", "[S3", "(S3)", "[XS3]", "[^S3]"])
def test_other_brackets_are_not_marks(text: str) -> None:
    assert CITATION_MARK.search(text) is None


def test_a_footnote_definition_continues_in_indented_lines() -> None:
    definition = FOOTNOTE_DEFINITION.match("[^1]: One.\n    Two.\n\tThree.\nNot this.")
    assert definition
    assert (definition["label"], definition["text"]) == ("1", " One.\n    Two.\n\tThree.")


def test_an_escaped_footnote_is_text() -> None:
    assert [found["label"] for found in FOOTNOTE_REFERENCE.finditer(r"One[^1] and \[^2] and [^ 3]")] == ["1"]


def test_footnotes_are_stripped_outside_code() -> None:
    text = "One.[^1] `a[^2]`\n\n```\n[^3]: code\n```\n\n[^1]: Note.\n    More.\n"
    assert strip_footnotes(text) == "One. `a[^2]`\n\n```\n[^3]: code\n```\n\n"


@pytest.mark.parametrize(
    ("written", "top", "levels"),
    [
        ([2, 3, 3, 2], 2, [2, 3, 3, 2]),
        ([1, 3, 6, 3], 2, [2, 3, 4, 3]),
        ([3, 1, 2], 1, [1, 1, 2]),
        ([], 1, []),
    ],
)
def test_heading_levels_never_skip_one(written: list[int], top: int, levels: list[int]) -> None:
    assert leveled(written, top=top) == levels


@pytest.mark.parametrize(("unit", "times"), [("[^1]: a\n", 4000), ("[^", 20_000), ("\n    x", 8000), ("[S1]", 20_000)])
def test_footnotes_are_stripped_in_time_that_grows_with_the_text(unit: str, times: int) -> None:
    assert in_proportion(strip_footnotes, unit, times, "")


@pytest.mark.parametrize(("unit", "times"), [("*a ", 9000), ("a", 1_000_000), ("http://a", 3000), ("[^1]", 7000)])
def test_the_plain_text_takes_time_that_grows_with_the_text(unit: str, times: int) -> None:
    assert in_proportion(plain_text, unit, times, "\n\n[^1]: x")


def test_patterns_for_marks_are_in_one_module() -> None:
    pattern = re.compile(r"\\\[(?:\\\^(?!\?)|S\\d)")  # \[\^ or \[S\d, as regular expressions write them
    modules = [path for package in ("agents", "articles") for path in (ROOT / package).rglob("*.py")]
    assert [path.name for path in modules if pattern.search(path.read_text())] == ["syntax.py"]
