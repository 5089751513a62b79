"""Consecutive sentences that cite the same source share one footnote."""

from __future__ import annotations

import random
import re

import pytest

from agents.text.citation_runs import merge_runs
from agents.text.markdown import parse_blocks, plain_text
from tests.growth import in_proportion


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("One fell.[^1] Two rose.[^1] Three stayed.[^1]", "One fell. Two rose. Three stayed.[^1]"),
        ("One fell.[^1] Two rose.[^1] Three stayed.[^2]", "One fell. Two rose.[^1] Three stayed.[^2]"),
        ("One fell.[^1][^2] Two rose.[^1][^2]", "One fell. Two rose.[^1][^2]"),
        ("One fell.[^1][^2] Two rose.[^1]", "One fell.[^1][^2] Two rose.[^1]"),
        ("One fell.[^1] Two rose. Three stayed.[^1]", "One fell.[^1] Two rose. Three stayed.[^1]"),
        ("One fell.[^1] Two,[^2] they say, rose.[^1]", "One fell.[^1] Two,[^2] they say, rose.[^1]"),
        ("One,[^1] they say, fell. Two rose.[^1]", "One,[^1] they say, fell. Two rose.[^1]"),
        ("One fell.[^1]\nTwo rose.[^1]", "One fell.\nTwo rose.[^1]"),
        ("„Eins fiel.“[^1] Zwei stieg.[^1]", "„Eins fiel.“ Zwei stieg.[^1]"),
        ("«\u00a0Un.\u00a0»[^1] Deux.[^1]", "«\u00a0Un.\u00a0» Deux.[^1]"),
        ("**One fell.[^1]** Two rose.[^1]", "**One fell.** Two rose.[^1]"),
        ("文字。[^1]次。[^1]", "文字。次。[^1]"),
        ("> One fell.[^1]\n> Two rose.[^1]", "> One fell.\n> Two rose.[^1]"),
    ],
)
def test_a_run_has_one_footnote_at_its_end(text: str, merged: str) -> None:
    assert merge_runs(text) == merged


@pytest.mark.parametrize(
    "text",
    [
        "One fell.[^1]\n\nTwo rose.[^1]",
        "- One fell.[^1]\n- Two rose.[^1]",
        "1. One fell.[^1]\n2. Two rose.[^1]",
        "| One fell.[^1] | Two rose.[^1] |\n|---|---|\n| Three.[^1] Four.[^1] | Five.[^1] |",
        "## One fell.[^1] Two rose.[^1]",
        "    One fell.[^1] Two rose.[^1]",
        "```\nOne fell.[^1] Two rose.[^1]\n```",
        "Say `One fell.[^1] Two rose.[^1] Three.[^1]` now.",
        "1.[^1] Two rose.[^1]",
    ],
)
def test_paragraphs_items_cells_and_code_stay_as_they_are(text: str) -> None:
    assert merge_runs(text) == text


def test_merging_changes_no_words_and_no_blocks_and_loses_no_source() -> None:
    fragments = [
        "One fell.[^1]", "Two rose![^2]", "Three.[^1][^2]", "Nothing.", "1.[^1]", "\n\n", "\n", "- item.[^1]", "> quoted.[^1]",
        "`code.[^1]`", "**bold.[^1]**", "| a.[^1] |", "\n\n|---|\n", "(aside.[^2])", "## Heading.[^1]", "text,[^1] more",
        "“So.”[^1]",
    ]  # fmt: skip
    chance = random.Random(11)
    for _ in range(400):
        text = " ".join(chance.choices(fragments, k=chance.randint(2, 14)))
        merged = merge_runs(text)
        without = re.compile(r"(?:\[\^\d\])+")
        assert without.sub("", merged) == without.sub("", text)
        assert [token.type for token in parse_blocks(merged)] == [token.type for token in parse_blocks(text)], text
        assert set(re.findall(r"\[\^(\d)\]", plain_text(merged))) == set(re.findall(r"\[\^(\d)\]", plain_text(text))), (
            text
        )


@pytest.mark.parametrize("unit", ["A word.[^1] ", "[^1]", "A.[^1]\n", "> ", "`[^1]"])
def test_merging_takes_time_in_proportion(unit: str) -> None:
    assert in_proportion(merge_runs, unit, 5_000)
