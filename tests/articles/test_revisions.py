"""Comparing texts, and undoing single changes."""

from __future__ import annotations

import random
import time

import pytest

from articles.revisions import Piece, compare, summarize, with_changes_undone
from articles.revisions.units import Units

OLD = """A cold week costs 120 euros.[^1] The rest is cheap. Nobody knows why.

## Costs

Prices rose in winter. They fell in spring.

- the pump
- the radiators

[^1]: The survey. https://example.org/survey
"""

WORDS = (
    "the",
    "a",
    "cost",
    "of",
    "heat",
    "pump",
    "cold",
    "week",
    "winter",
    "house",
    "price",
    "study",
    "shows",
    "that",
    "120",
)


def sentence(choice: random.Random) -> str:
    words = " ".join(choice.choice(WORDS) for _ in range(choice.randint(4, 14)))
    return words.capitalize() + choice.choice([".", "?", ".[^1]", ".[^2]"])


def block(choice: random.Random) -> str:
    kind = choice.random()
    if kind < 0.2:
        return f"## {sentence(choice)[:30]}"
    if kind < 0.3:
        return "\n".join(f"- {sentence(choice)}" for _ in range(choice.randint(1, 4)))
    if kind < 0.35:
        return f"| a | b |\n|---|---|\n| {choice.randint(1, 9)} | 2 |"
    return " ".join(sentence(choice) for _ in range(choice.randint(1, 6)))


def edited(choice: random.Random, blocks: list[str]) -> list[str]:
    blocks = list(blocks)
    for _ in range(choice.randint(1, 6)):
        at, kind = choice.randrange(len(blocks)), choice.random()
        if kind < 0.15 and len(blocks) > 2:
            blocks.pop(at)
        elif kind < 0.3:
            blocks.insert(at, block(choice))
        elif kind < 0.4:
            moved = blocks.pop(at)
            blocks.insert(choice.randrange(len(blocks) + 1), moved)
        elif not blocks[at].startswith(("##", "|", "-")):
            words = blocks[at].split(" ")
            words[choice.randrange(len(words))] = "changed"
            blocks[at] = " ".join(words)
    return blocks


def markdown(blocks: list[str]) -> str:
    return "\n\n".join(blocks) + "\n\n[^1]: One source.\n[^2]: Another.\n"


def keys(text: str) -> set[tuple[str, str]]:
    return {(unit.kind, unit.key) for unit in Units(text).all}


class TestComparing:
    def test_a_changed_figure_is_one_change_of_one_word(self) -> None:
        (change,) = compare(OLD, OLD.replace("120", "140")).changes
        assert change.pieces == [
            Piece("same", "A cold week costs "),
            Piece("removed", "120 "),
            Piece("added", "140 "),
            Piece("same", "euros.[^1]"),
        ]
        assert (change.section, change.kind) == ("", "text")

    def test_neighbouring_sentences_are_changes_of_their_own(self) -> None:
        new = OLD.replace("rose in winter", "rose in December").replace("They fell in", "They fell again in")
        assert [change.section for change in compare(OLD, new).changes] == ["Costs", "Costs"]

    def test_a_sentence_over_two_lines_is_one_change(self) -> None:
        old = "A cold week costs\n120 euros in all of the houses that\nwere measured. The rest is cheap.\n"
        comparison = compare(old, old.replace("120", "140"))
        assert [change.before for change in comparison.changes] == [(0, 1)]
        assert with_changes_undone(comparison, [1]) == old

    def test_white_space_is_no_change(self) -> None:
        assert compare(OLD, OLD.replace("cheap. Nobody", "cheap.\nNobody").replace("\n\n##", "\n\n\n##")).changes == []

    def test_sentences_without_words_in_common_replace_each_other_as_a_whole(self) -> None:
        (change,) = compare("Prices rose in winter.\n", "Nobody could say when the boiler broke.\n").changes
        assert [piece.kind for piece in change.pieces] == ["removed", "added"]

    def test_a_short_word_between_two_changes_is_part_of_them(self) -> None:
        (change,) = compare(
            "It is the cost of winter that people fear.\n", "It is a price of living that people fear.\n"
        ).changes
        assert [piece.text for piece in change.pieces[1:3]] == ["the cost of winter ", "a price of living "]

    def test_a_removed_sentence_and_the_edited_one_beside_it_are_two_changes(self) -> None:
        new = OLD.replace("A cold week costs 120 euros.[^1] The rest is cheap.", "The rest is not cheap.")
        assert [len(change.pieces) for change in compare(OLD, new).changes] == [1, 3]

    def test_what_was_moved_names_its_other_place(self) -> None:
        first, second, third = "One paragraph here.", "Another one there.", "## Heading\n\nThe third of them."
        changes = compare("\n\n".join([first, second, third]), "\n\n".join([third, second, first])).changes
        moved = {change.number: change.moved_with for change in changes if change.moved_with}
        assert moved
        assert all(moved[other] == number for number, other in moved.items())

    @pytest.mark.parametrize("line", ["a ", "- a\n", "a. ", "[^1]: a\n"])
    def test_hostile_texts_are_compared_in_bounded_time(self, line: str) -> None:
        text = line * (200_000 // len(line))
        began = time.process_time()
        compare(text, text.replace("a", "b"))
        assert time.process_time() - began < 15


class TestUndoing:
    def test_a_sentence_comes_back_to_its_place(self) -> None:
        new = OLD.replace("The rest is cheap. ", "").replace("120", "140")
        comparison = compare(OLD, new)
        assert with_changes_undone(comparison, [2]) == OLD.replace("120", "140")
        assert with_changes_undone(comparison, [1]) == new.replace("140", "120")

    def test_a_restored_sentence_cites_the_source_it_cited(self) -> None:
        new = OLD.replace("A cold week costs 120 euros.[^1] ", "").replace("[^1]: The survey.", "[^1]: Another.")
        changes = {change.pieces[0].text: change.number for change in compare(OLD, new).changes}
        restored = with_changes_undone(compare(OLD, new), [changes["A cold week costs 120 euros.[^1]"]])
        assert restored.startswith("A cold week costs 120 euros.[^2] The rest is cheap.")
        assert "[^1]: Another. https://example.org/survey\n[^2]: The survey. https://example.org/survey\n" in restored

    def test_it_takes_the_label_under_which_the_text_has_the_source(self) -> None:
        new = "The rest is cheap. Nobody knows why.[^a]\n\n[^a]: The survey. https://example.org/survey\n"
        removed = compare(OLD, new).changes[0]
        assert "120 euros.[^a]" in with_changes_undone(compare(OLD, new), [removed.number])

    def test_a_missing_footnote_comes_back_with_the_sentence(self) -> None:
        new = OLD.replace("A cold week costs 120 euros.[^1] ", "").partition("\n[^1]")[0]
        restored = with_changes_undone(compare(OLD, new), [1])
        assert restored.startswith("A cold week costs 120 euros.[^1] ")
        assert "[^1]: The survey. https://example.org/survey" in restored

    def test_both_places_of_a_move_are_undone_together(self) -> None:
        old, new = (
            "One here.\n\nTwo there.\n\nThree is long enough.\n",
            "Two there.\n\nThree is long enough.\n\nOne here.\n",
        )
        change = compare(old, new).changes[0]
        assert change.moved_with
        assert with_changes_undone(compare(old, new), [change.number]) == old

    def test_the_changes_of_500_random_edits_can_be_undone_one_by_one_in_any_order(self) -> None:
        for seed in range(500):
            choice = random.Random(seed)
            blocks = [block(choice) for _ in range(12)]
            old, text = markdown(blocks), markdown(edited(choice, blocks))
            comparison = compare(old, text)
            assert with_changes_undone(comparison, [each.number for each in comparison.changes]) == old, seed
            for _ in range(200):
                changes = compare(old, text).changes
                if not changes:
                    break
                known = keys(old) | keys(text)
                text = with_changes_undone(compare(old, text), [choice.choice(changes).number])
                assert keys(text) <= known, (seed, "sentences or blocks were joined")
            assert text == old, seed


class TestSummaries:
    @pytest.mark.parametrize(
        ("new", "said"),
        [
            (OLD, "Nothing changed"),
            (OLD.replace("120", "140"), "1 sentence changed in the introduction"),
            (OLD.replace("They fell in spring.", ""), "1 sentence removed in “Costs”, 4 words fewer"),
            (OLD.replace("## Costs", "## Prices"), "1 heading changed in “Prices”"),
            (OLD.replace("The survey", "A survey"), "1 reference changed"),
            (
                OLD.replace("- the pump\n", "").replace("cheap. ", "cheap.\n"),
                "1 sentence removed in “Costs”, 2 words fewer",
            ),
            (
                OLD.replace("winter", "autumn").replace("Nobody knows why.", "Nobody knows it now."),
                "2 sentences changed in the introduction and “Costs”, 1 word more",
            ),
            ("Something else.\n", "1 sentence added, 7 removed, 1 heading removed, 1 reference removed"),
        ],
    )
    def test_it_says_what_changed_where_and_by_how_much(self, new: str, said: str) -> None:
        assert summarize(("T", OLD), ("T", new)).text.startswith(said)

    def test_a_text_that_is_nearly_all_new_is_called_rewritten(self) -> None:
        old, new = (markdown([block(random.Random(seed + at)) for at in range(12)]) for seed in (1, 100))
        assert "Nearly all of the text rewritten" in summarize(("T", old), ("T", new)).text

    def test_a_changed_title_is_named(self) -> None:
        assert summarize(("T", OLD), ("U", OLD)).text == "Title changed"


@pytest.mark.parametrize("text", ["", "\n", "\n\n"])
def test_a_text_without_sentences_has_no_units(text: str) -> None:
    units = Units(text)
    assert (units.all, units.opening, units.gaps) == ([], text, [])
