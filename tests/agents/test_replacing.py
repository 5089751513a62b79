"""Replacements are made if they name one place of the text, however the quotation differs in marks and white space."""

from __future__ import annotations

import pytest

from agents.text.replacing import replaced

TEXT = (
    "A planted roof holds most of the rain [S1]. It stays cooler in July [S2, S3].\n\n"
    "An engineer looks at the beams first. It costs more than a plain one."
)


@pytest.mark.parametrize(
    ("find", "put", "text"),
    [
        ("holds most of", "holds 60 % of", TEXT.replace("holds most of", "holds 60 % of")),
        ("rain [S1].", "rain, as measured [S1].", TEXT.replace("rain [S1]", "rain, as measured [S1]")),
        ("stays   cooler\nin July", "stays cool in July", TEXT.replace("stays cooler", "stays cool")),
        (
            "A planted roof holds most of the rain.",
            "A planted roof holds the rain [S1].",
            TEXT.replace("holds most of the rain", "holds the rain"),
        ),
        (
            "A planted roof holds most of the rain [S9].",
            "A planted roof holds the rain [S1].",
            TEXT.replace("holds most of the rain", "holds the rain"),
        ),
        (
            "It stays cooler in July.\n\nAn engineer looks",
            "In July, an engineer looks",
            TEXT.replace("It stays cooler in July [S2, S3].\n\nAn engineer", "In July, an engineer"),
        ),
    ],
    ids=["exact", "with marks", "white space", "without marks", "other marks", "two paragraphs"],
)
def test_one_place_is_replaced(find: str, put: str, text: str) -> None:
    assert replaced(TEXT, find, put) == text


@pytest.mark.parametrize(
    "find",
    ["", "   ", "It", "It's nowhere to be found", "Rain", "beams second", "x" * 3000],
    ids=["empty", "spaces", "several", "nowhere", "one word", "other words", "long"],
)
def test_what_names_no_place_or_several_changes_nothing(find: str) -> None:
    assert replaced(TEXT, find, "Other words.") is None


def test_a_quotation_that_occurs_twice_but_for_its_marks_changes_nothing() -> None:
    text = "Roofs hold rain [S1]. Then it dries. Roofs hold rain [S2]."
    assert replaced(text, "Roofs hold rain.", "Roofs are flat.") is None
    assert replaced(text, "Roofs hold rain [S2].", "Roofs are flat [S2].") == (
        "Roofs hold rain [S1]. Then it dries. Roofs are flat [S2]."
    )


@pytest.mark.parametrize(
    ("find", "text"),
    [
        ("It stays cooler in July [S2, S3].", "A planted roof holds most of the rain [S1].\n\nAn engineer"),
        ("A planted roof holds most of the rain [S1].", "It stays cooler in July [S2, S3].\n\nAn engineer"),
        ("An engineer looks at the beams first. ", "[S2, S3].\n\nIt costs more"),
        ("most of ", "A planted roof holds the rain [S1]."),
        (
            "A planted roof holds most of the rain [S1]. It stays cooler in July [S2, S3].",
            "An engineer looks at the beams first. It costs more than a plain one.",
        ),
    ],
)
def test_a_deletion_leaves_no_hole(find: str, text: str) -> None:
    made = replaced(TEXT, find, "")
    assert made is not None
    assert text in made
    assert "  " not in made
    assert "\n\n\n" not in made
    assert made == made.strip()


def test_special_characters_are_taken_literally() -> None:
    text = "It costs (about) 3.50 € + 20 % a year [S1]."
    assert replaced(text, "(about) 3.50 € + 20 %", r"\1 4 €") == r"It costs \1 4 € a year [S1]."


LONG = (
    "Roofs hold 60 % of the rain that falls in a summer night, and that only in the city [S1]. Gardens on them need soil.\n\n"
    "Walls hold 20 % of the rain that falls in a summer night, and that in every village [S2]."
)


def test_whole_sentences_may_be_quoted_with_a_small_mistake() -> None:
    find = "Roofs hold 60 % of the rain that falls in a summer night, and that in the city [S1]. Gardens on them need soil."
    assert replaced(LONG, find, "Roofs are flat [S1].") == f"Roofs are flat [S1].\n\n{LONG.partition(chr(10) * 2)[2]}"


@pytest.mark.parametrize(
    "find",
    [
        "Walls keep most of what falls in a winter night, and that is known in every town of the land.",
        "Roofs hold 60 % of the rain [S1], and walls hold 20 % of it.",
    ],
    ids=["other words", "a summary"],
)
def test_other_sentences_are_not_taken_for_the_quoted_ones(find: str) -> None:
    assert replaced(LONG, find, "Roofs are flat.") is None


def test_sentences_that_are_much_alike_are_not_chosen_between() -> None:
    text = "The north of the city has nine roofs with gardens on them. The south of the city has nine roofs with gardens on them."
    assert replaced(text, "The north of that city has nine roofs with gardens on them.", "None.") is None


def test_of_places_that_are_equally_alike_none_is_chosen() -> None:
    line = "Roofs hold the rain of a whole summer night. "
    assert replaced(line * 70, (line * 40).replace("whole", "long", 1), "None.") is None


def test_what_is_put_in_may_begin_and_end_a_paragraph() -> None:
    assert replaced("One is here. Two is there.", "Two is there.", "\n\n### Then\n\nThree.") == (
        "One is here. \n\n### Then\n\nThree."
    )
    assert replaced("One is here. Two is there.", "One is here.", "One.\n") == "One.\n\n Two is there."
