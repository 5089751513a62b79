"""Three-way merges of texts."""

from __future__ import annotations

import random
import time

import pytest

from articles.services.merging import Region, merge_texts

TEXT = """A roof garden weighs more when wet.[^1] It needs a strong roof. Drains clog in autumn.[^2]

## Load

Engineers check the beams first. They add 20 % for snow.

[^1]: Survey of roofs.
[^2]: City of Basel.
"""


def conflicts(base: str, mine: str, theirs: str) -> list[tuple[str, str, str]]:
    return [(each.base, each.mine, each.theirs) for each in merge_texts(base, mine, theirs).conflicts]


class TestCleanMerges:
    def test_sentences_of_one_paragraph(self) -> None:
        mine = TEXT.replace("weighs more when wet", "doubles its weight in rain")
        theirs = TEXT.replace("clog in autumn", "clog with leaves")
        merge = merge_texts(TEXT, mine, theirs)
        assert merge.conflicts == []
        assert merge.content == mine.replace("clog in autumn", "clog with leaves")
        assert merge.taken == 1

    def test_what_both_changed_alike(self) -> None:
        both = TEXT.replace("20 %", "30 %")
        mine, theirs = both.replace("Survey", "A survey"), both.replace("clog", "block")
        merge = merge_texts(TEXT, mine, theirs)
        assert merge.conflicts == []
        assert merge.content == mine.replace("clog", "block")

    def test_one_side_without_changes(self) -> None:
        changed = TEXT.replace("20 %", "30 %")
        assert merge_texts(TEXT, TEXT, changed).content == changed
        assert merge_texts(TEXT, changed, TEXT).content == changed

    def test_a_paragraph_that_moved_beside_one_that_was_edited(self) -> None:
        base = "One.\n\nTwo.\n\nThree.\n\nFour.\n"
        merge = merge_texts(base, "Two.\n\nOne.\n\nThree.\n\nFour.\n", base.replace("Four.", "The fourth."))
        assert merge.content == "Two.\n\nOne.\n\nThree.\n\nThe fourth.\n"


class TestConflicts:
    def test_the_same_sentence(self) -> None:
        mine, theirs = TEXT.replace("20 %", "30 %"), TEXT.replace("20 %", "40 %")
        assert conflicts(TEXT, mine, theirs) == [
            ("They add 20 % for snow.\n", "They add 30 % for snow.\n", "They add 40 % for snow.\n")
        ]
        assert merge_texts(TEXT, mine, theirs).content == mine

    def test_deleted_by_one_and_edited_by_the_other(self) -> None:
        mine = TEXT.replace("It needs a strong roof. ", "")
        theirs = TEXT.replace("a strong roof", "a very strong roof")
        assert conflicts(TEXT, mine, theirs) == [("It needs a strong roof. ", "", "It needs a very strong roof. ")]

    def test_both_defined_the_same_footnote_for_different_sources(self) -> None:
        mine = TEXT.replace("for snow.", "for snow.[^3]").replace("[^1]: Survey", "[^3]: Mine.\n[^1]: Survey")
        theirs = TEXT.replace("autumn.[^2]", "autumn.[^2][^3]") + "[^3]: Theirs.\n"
        assert [(mine, theirs) for _, mine, theirs in conflicts(TEXT, mine, theirs)] == [
            ("[^3]: Mine.\n", ""),
            ("", "[^3]: Theirs.\n"),
        ]

    def test_a_choice_resolves_the_conflict_it_was_made_for(self) -> None:
        mine, theirs = TEXT.replace("20 %", "30 %"), TEXT.replace("20 %", "40 %")
        merge = merge_texts(TEXT, mine, theirs)
        (conflict,) = merge.conflicts
        for choice, expected in {"mine": mine, "theirs": theirs}.items():
            resolved = merge.resolved({conflict.key: choice})  # type: ignore[dict-item]
            assert (resolved.content, resolved.conflicts) == (expected, [])
        both = merge.resolved({conflict.key: "both"}).content
        assert "They add 30 % for snow.\nThey add 40 % for snow.\n" in both
        assert merge.resolved({"another": "theirs"}).conflicts == [conflict]

    def test_both_versions_of_sentences_are_kept_apart(self) -> None:
        assert Region("Old.", "Mine.", "Theirs.").chosen("both").merged == "Mine. Theirs."


@pytest.mark.parametrize("seed", range(200))
def test_edits_of_different_sentences_are_all_kept(seed: int) -> None:
    """Where edits of the two sides are not side by side, the merge has all of them."""
    chance = random.Random(seed)
    numbered = [
        f"Roof {index} is {chance.choice(['heavy', 'light'])}.{chance.choice([' ', chr(10)])}" for index in range(30)
    ]
    edit = chance.choice(["Edited {}", "New. {}", ""])
    made = [chance.choice(["keep", "mine", "theirs"]) if index % 2 else "keep" for index in range(30)]

    def version(*kinds: str) -> str:
        return "".join(edit.format(text) if kind in kinds else text for text, kind in zip(numbered, made, strict=True))

    merge = merge_texts(version(), version("mine"), version("theirs"))
    assert merge.conflicts == []
    assert merge.content == version("mine", "theirs")


@pytest.mark.parametrize("seed", range(300))
def test_nothing_is_lost_whatever_was_edited(seed: int) -> None:
    """The regions make up each version, and a merge that was saved in part has no new conflicts."""
    chance = random.Random(seed)
    parts = ["One. ", "Two. ", "Three.\n", "\n", "Four.[^1] ", "[^1]: A.\n"]
    base, mine, theirs = ("".join(chance.choices(parts, k=chance.randrange(12))) for _ in range(3))
    merge = merge_texts(base, mine, theirs)
    for side, text in (("base", base), ("mine", mine), ("theirs", theirs)):
        assert "".join(getattr(region, side) for region in merge.regions) == text
    chosen = merge.resolved({conflict.key: "theirs" for conflict in merge.conflicts})
    assert chosen.conflicts == []
    assert merge.content == chosen.content or merge.conflicts


def test_ten_thousand_equal_sentences_are_merged_in_time() -> None:
    base, began = "No. " * 10_000, time.process_time()
    assert merge_texts(base, f"Mine. {base}", f"{base}Theirs.").conflicts
    assert time.process_time() - began < 3
