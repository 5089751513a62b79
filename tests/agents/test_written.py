"""What a model wrote becomes a section: without its own heading, without a loose end, in every script."""

from __future__ import annotations

import pytest

from agents.text.cleanup import clean_heading, clean_section, is_complete, without_incomplete_end


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("# Title\n\n## Again\n\nText.", "Text."),
        ("Text.\n\n## Below\n\nMore.", "Text.\n\n### Below\n\nMore."),
        ("```markdown\nText.\n```", "Text."),
        ("```\nText.\n```", "Text."),
        ("Text with `code` and\n\n```\nx\n```\n\nmore.", "Text with `code` and\n\n```\nx\n```\n\nmore."),
        ("#hashtag is no heading", "#hashtag is no heading"),
    ],
)
def test_a_writers_answer_becomes_a_sections_text(answer: str, text: str) -> None:
    assert clean_section(answer) == text


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        ("Weight decides.", "Weight decides"),
        ("3. What it costs", "What it costs"),
        ("## Who\npays?", "Who pays?"),
        ("2026 in figures", "2026 in figures"),
        ("...", "..."),
    ],
)
def test_a_heading_has_no_number_and_no_full_stop(answer: str, heading: str) -> None:
    assert clean_heading(answer) == heading


@pytest.mark.parametrize(
    "text",
    [
        "It ends.",
        "It ends. [S3]",
        "It ends [S3, S4].",
        "“It ends.”",
        "Does it end?",
        "It ends:\n\n- one\n- two",
        "| a | b |\n| - | - |\n| 1 | 2 |",
        "```\ncode\n```",
        "终于结束了。",
        "ไม่มีเครื่องหมายจบประโยค",
        "**It ends.**",
    ],
)
def test_a_text_that_ends_well_is_whole(text: str) -> None:
    assert is_complete(text)
    assert without_incomplete_end(text) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It ends. And then the", "It ends."),
        ("It ends [S1]. And then [S2", "It ends [S1]."),
        ("It costs 3.50 euros. And then", "It costs 3.50 euros."),
        ("One. Two.\n\nThree and", "One. Two."),
        ("不完整。然后", "不完整。"),
    ],
)
def test_a_loose_end_is_cut_off(text: str, whole: str) -> None:
    assert not is_complete(text)
    assert without_incomplete_end(text).strip() == whole


HINDI = "क्या हरी छतें काम करती हैं? वे शहर को ठंडा रखती हैं। लागत 1.5 लाख है। कई निवासियों ने पौधे लगाए हैं।"
THAI = "หลังคาสีเขียวช่วยให้เมืองเย็นลง ตั้งแต่ พ.ศ. 2560 ชาวเมืองจำนวนมากได้ปลูกต้นไม้บนหลังคาบ้านของตน"


@pytest.mark.parametrize("text", [HINDI, THAI, "السطح الأخضر مفيد. فهل يستحق التكلفة؟", "Done! 🙂", "Fine. See `code`"])
def test_texts_in_every_script_are_left_byte_for_byte(text: str) -> None:
    assert is_complete(text)
    assert without_incomplete_end(text) == text


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("It holds the rain. Then Dr. Smith of the roof said", "It holds the rain."),
        ("It holds rain. It costs e.g. 12 euros per", "It holds rain."),
        ("It holds rain.\n\n2.", "It holds rain."),
        ("It holds rain.[S1] Then the", "It holds rain.[S1]"),
    ],
)
def test_an_abbreviation_or_a_lists_number_ends_no_text(text: str, whole: str) -> None:
    assert without_incomplete_end(text) == whole


def test_what_has_hardly_any_stops_is_not_cut() -> None:
    text = "It ends. " + "word " * 60
    assert without_incomplete_end(text) == text


@pytest.mark.parametrize(
    "answer",
    [
        "**A heading**\n\nText.",
        "Section 3: A heading\n\nText.",
        "A heading\n---\n\nText.",
        "A heading [S1]\n\nText.",
        "Here is the section:\n\nText.",
        "Text.\n\n## References\n\n1. A title\n2. Another",
    ],
)
def test_headings_prefaces_and_references_of_its_own_go(answer: str) -> None:
    assert clean_section(answer) == "Text."


def test_a_section_about_sources_and_comments_in_code_stay() -> None:
    text = "Text.\n\n### Sources\n\nWater comes from rain.\n\n```python\n# a comment\n```"
    assert clean_section(text) == text


@pytest.mark.parametrize(
    ("answer", "heading"), [("The U.S.", "The U.S."), ("**Rain** [S1]", "Rain"), ("Rain[^1]", "Rain")]
)
def test_a_heading_has_neither_marks_nor_emphasis(answer: str, heading: str) -> None:
    assert clean_heading(answer) == heading
