"""Sentences are cut where a reader would, in many languages, and only whole ones are quoted."""

from __future__ import annotations

import pytest

from agents.extractive.sentences import is_quotable, read
from tests.agents.extractive_texts import split


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "Dr. Smith met J. R. Jones at 3.5 p.m. today. He left.",
            ["Dr. Smith met J. R. Jones at 3.5 p.m. today.", "He left."],
        ),
        ("en", "He said “No.” Then he went! Did he? Yes", ["He said “No.”", "Then he went!", "Did he?", "Yes"]),
        (
            "en",
            "Use tools, e.g. Spades, in the U.S. Senate. See No. 5 and pp. 3-4.",
            ["Use tools, e.g. Spades, in the U.S. Senate.", "See No. 5 and pp. 3-4."],
        ),
        (
            "en",
            "It grew (slowly.) Then it stopped… Nothing moved.",
            ["It grew (slowly.)", "Then it stopped…", "Nothing moved."],
        ),
        ("en", "It ended in 1998. A new one began.", ["It ended in 1998.", "A new one began."]),
        (
            "de",
            "Das gilt z. B. für Häuser. Am 3. Oktober war Prof. Müller da. „Ja.“ Gut.",
            ["Das gilt z. B. für Häuser.", "Am 3. Oktober war Prof. Müller da.", "„Ja.“", "Gut."],
        ),
        ("fr", "Il dit : « Oui. » École fermée. À bientôt !", ["Il dit : « Oui. »", "École fermée.", "À bientôt !"]),
        (
            "vi",
            "Ông sống ở TP. Hồ Chí Minh. Đây là câu hai. Ứng dụng hay!",
            ["Ông sống ở TP. Hồ Chí Minh.", "Đây là câu hai.", "Ứng dụng hay!"],
        ),
        ("zh", "第一句话。第二句！“第三句。”第四", ["第一句话。", "第二句！", "“第三句。”", "第四"]),
        (
            "en",
            "First line. Next.\nnew paragraph without a stop\n\nLast.",
            ["First line.", "Next.", "new paragraph without a stop", "Last."],
        ),
        (
            "en",
            "- **Bold** item [linked](https://x.example).\n2. Second ![picture](x.png)item [3].",
            ["Bold item linked.", "Second item ."],
        ),
        ("en", "", []),
    ],
)
def test_it_cuts_text_into_sentences(language: str, text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_each_sentence_has_the_heading_above_it() -> None:
    text = (
        "Opening words.\n\n## Water\nIt flows down.\n\n"
        "Sun\nRoofs dry out fast because the wind and the sun take water from thin soil.\nLight"
    )
    assert list(read(text, "Before")) == [
        ("Before", "Opening words."),
        ("Water", "It flows down."),
        ("Sun", "Roofs dry out fast because the wind and the sun take water from thin soil."),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "A garden on the roof cools the rooms below.",
        "In 2020, 35 % of the city's roofs were planted.",
        "“We never water it,” says the owner of the house.",
        "Đây là một câu tiếng Việt hoàn chỉnh và rõ ràng.",
        "„Wir gießen nie“, sagt die Besitzerin des Hauses.",
        "屋顶花园可以让下面的房间凉爽。",
        "हरी छतें शहर की बारिश का अधिकांश पानी रोक लेती हैं।",
        "تحتفظ الأسطح الخضراء بمعظم مياه الأمطار في المدينة.",
    ],
)
def test_a_whole_sentence_may_be_quoted(sentence: str) -> None:
    assert is_quotable(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Too short.",
        "A heading without any stop at its end",
        "which began in the passage before this one.",
        "- a menu item of five words.",
        "Share this article with all your friends today.",
        "We use cookies to make this site better.",
        "Read it all on https://example.org/page today or tomorrow.",
        "Write to garden@example.org for more about it all.",
        "A table | with cells | of many | words here.",
        "An open bracket (that never closes is no sentence.",
        "He said “that the quotation never ends at all.",
        'One "straight quotation mark is not enough for us.',
        "12 34 56 78 90 12 34 56 78 x.",
        "Word " * 61 + "end.",
    ],
)
def test_a_fragment_is_not_quoted(sentence: str) -> None:
    assert not is_quotable(sentence)
