"""Text is decoded, cleaned and unwrapped."""

from __future__ import annotations

import pytest

from agents.exceptions import SourceUnreadable
from agents.research.documents import read_page, read_text
from agents.research.text import MAX_CHARACTERS, decode, first_words, is_hard_wrapped, one_line, tidy, unwrap
from tests.agents.documents import FIRST, SECOND, fetched


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("Grüße aus Köln".encode(), ""),
        ("Grüße aus Köln".encode("utf-8-sig"), ""),
        ("Grüße aus Köln".encode("utf-16"), ""),
        ("Grüße aus Köln".encode("latin-1"), "iso-8859-1"),
        ("Grüße aus Köln".encode(), "no-such-charset"),
    ],
)
async def test_plain_text_is_decoded_by_what_is_known_of_it(body: bytes, charset: str) -> None:
    assert (await read_page(fetched("text", body, charset))).text == "Grüße aus Köln"


def test_a_page_may_name_its_charset_itself() -> None:
    assert decode('<meta charset="windows-1251">Привет'.encode("windows-1251"), markup=True).endswith("Привет")


def test_an_undeclared_charset_is_guessed_from_the_text() -> None:
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний."

    assert decode((text * 3).encode("windows-1251")) == text * 3


def test_what_no_reader_sees_is_taken_out() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")

    assert tidy(f"One\x00 t\ud800wo{hidden}\u202e\ufeff\r\nthree\u00a0 four\r\n\r\n\r\n\r\nfive {'-' * 500}") == (
        "One two\nthree four\n\nfive ---"
    )
    assert tidy("e\u0301 \u0646\u200c\u0646") == "é \u0646\u200c\u0646"


def test_a_text_is_cut_at_the_limit() -> None:
    assert len(tidy("word " * MAX_CHARACTERS)) <= MAX_CHARACTERS


def test_a_title_is_one_short_line() -> None:
    assert one_line(" A\ntitle\x00 ") == "A title"
    assert len(one_line("title " * 100)) <= 200
    assert first_words("one two three") == "one two three"
    assert first_words("one two three four five six seven eight nine ten eleven").endswith("nine ten …")


def test_a_pasted_text_keeps_its_title_and_paragraphs() -> None:
    document = read_text(f"{FIRST}\n\n{SECOND}\n", " My notes ")

    assert (document.title, document.text) == ("My notes", f"{FIRST}\n\n{SECOND}")


@pytest.mark.parametrize("text", ["", " \n ", "\x00\u200b", "--- …"])
def test_a_pasted_text_without_words_says_so(text: str) -> None:
    with pytest.raises(SourceUnreadable, match="contains no text"):
        read_text(text)


def test_a_text_whose_lines_end_where_the_page_was_full_is_unwrapped() -> None:
    wrapped = (
        "Heat pumps move heat from a cold place to a warm one, as a\n"
        "refrigerator does. They need electricity for it, and give back more\n"
        "heat than the electricity alone would. In winter their out-\n"
        "put falls, because there is less heat in the air outside.\n"
        "Solar panels may feed them.\n"
        "\n"
        "A second paragraph begins here and it goes on for quite some\n"
        "time, until it ends."
    )

    assert is_hard_wrapped(wrapped)
    assert read_text(wrapped).text.split("\n") == [
        "Heat pumps move heat from a cold place to a warm one, as a refrigerator does. They need electricity for it, and give"
        " back more heat than the electricity alone would. In winter their output falls, because there is less heat in the air"
        " outside. Solar panels may feed them.",
        "",
        "A second paragraph begins here and it goes on for quite some time, until it ends.",
    ]


def test_headings_and_lists_keep_their_lines_when_a_text_is_unwrapped() -> None:
    full = "A line that is as long as the page is wide, so that it goes on in"
    text = f"{full}\nthe next one.\nHeating\n{full}\n- an item\n2. another\nin lower case"

    assert unwrap(text).split("\n") == [
        f"{full} the next one.",
        "Heating",
        full,
        "- an item",
        "2. another in lower case",
    ]
    assert unwrap("") == ""
