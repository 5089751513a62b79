"""Links that lead to a passage within its source."""

from __future__ import annotations

import pytest

from agents.contract import Passage
from agents.text.passage_links import passage_link

PAGE = "https://a.example/page"


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("Planted roofs are cooler.", "Planted%20roofs%20are%20cooler."),
        (
            "One two three, four five-six seven.\n\nEight nine & ten eleven twelve thirteen fourteen.",
            "One%20two%20three%2C%20four%20five%2Dsix%20seven.,%26%20ten%20eleven%20twelve%20thirteen%20fourteen.",
        ),
        ("## Heading\n\n- Häuser sind warm", "Heading,H%C3%A4user%20sind%20warm"),
    ],
)
def test_a_web_page_is_searched_for_the_words_of_the_passage(text: str, fragment: str) -> None:
    passage = Passage(id="S1", source=1, start=0, end=len(text), text=text)
    assert passage_link(PAGE, passage) == f"{PAGE}#:~:text={fragment}"


@pytest.mark.parametrize(
    ("url", "page", "text", "link"),
    [
        (PAGE, 17, "Words.", f"{PAGE}#page=17"),
        (f"{PAGE}#part", 0, "Words.", f"{PAGE}#part"),
        (f"{PAGE}#part", 17, "Words.", f"{PAGE}#part"),
        (PAGE, 0, " \n", PAGE),
        ("", 0, "Words.", ""),
        ("", 17, "Words.", ""),
    ],
)
def test_a_pdf_opens_at_its_page_and_other_addresses_stay(url: str, page: int, text: str, link: str) -> None:
    assert passage_link(url, Passage(id="S1", source=1, start=0, end=len(text), text=text, page=page)) == link
