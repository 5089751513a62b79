"""Assignments of the writer: a section, the whole article, and a section at another length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agents import extractive
from agents.contract import Brief, Outline, Passage
from agents.crew.assignments.base import Assignment
from agents.prompts import config
from agents.text.markdown import count_words
from agents.text.prompt_fields import bullet_list, language_name
from agents.text.quoting import quote_markdown
from agents.text.shared_prompt import points_text

Shared = tuple[str, ...]


def section_fields(brief: Brief, outline: Outline, number: int, words: int) -> dict[str, object]:
    """The fields of all tasks about section ``number`` (from 1)."""
    return {
        "number": number,
        "sections": len(outline.sections),
        "heading": outline.sections[number - 1].heading,
        "language": language_name(brief.language),
        "words": words,
    }


def write_section(
    shared: Shared, brief: Brief, outline: Outline, number: int, passages: Sequence[Passage], words: int
) -> Assignment[str]:
    """The text of section ``number`` (from 1) in about ``words`` words. The built-in writer quotes ``passages``."""
    section, words_of = outline.sections[number - 1], config("writing")
    fields = section_fields(brief, outline, number, words) | {
        "purpose": section.purpose or section.heading,
        "form": words_of["forms"][section.form],
        "points": points_text(section.points),
        "place": place_of(outline, [number]),
        "rules": words_of["rules"],
    }
    return Assignment(
        "write_section",
        str,
        fields,
        lambda: extractive.write_section(brief, outline, number - 1, passages).markdown,
        shared,
    )


def place_of(outline: Outline, numbers: Sequence[int]) -> str:
    """What the first and the last section have to do, if they are among ``numbers``."""
    places = config("writing")["place"]
    parts = [places["first"]] * (1 in numbers) + [places["last"]] * (len(outline.sections) in numbers)
    return "\n".join(parts)


def write_sections(
    shared: Shared, brief: Brief, outline: Outline, words: Mapping[int, int], passages: Sequence[Passage]
) -> Assignment[str]:
    """The sections that ``words`` names by number (from 1), of so many words each, each below a line ``## number. heading``."""
    words_of, numbers = config("writing"), list(words)
    chosen = [(number, outline.sections[number - 1]) for number in numbers]
    is_whole = len(chosen) == len(outline.sections)
    points = [
        f"{number}. {section.heading} ({words[number]} words, {words_of['forms'][section.form]}): {section.purpose}\n"
        f"{points_text(section.points)}"
        for number, section in chosen
    ]
    fields: dict[str, object] = {
        "which": sections_text(outline, numbers),
        "count": len(chosen),
        "language": language_name(brief.language),
        "words": sum(words.values()),
        "elsewhere": "" if is_whole else words_of["elsewhere"],
        "points": "\n".join(points),
        "place": place_of(outline, numbers),
        "rules": words_of["rules"],
    }

    def built_in() -> str:
        texts = (extractive.write_section(brief, outline, number - 1, passages).markdown for number in numbers)
        return "\n\n".join(
            f"## {number}. {section.heading}\n\n{text}" for (number, section), text in zip(chosen, texts, strict=True)
        )

    return Assignment("write_sections", str, fields, built_in, shared)


def sections_text(outline: Outline, numbers: Sequence[int]) -> str:
    """``section 2``, ``sections 2 to 4`` or ``all 5 sections``."""
    if len(numbers) == len(outline.sections):
        return f"all {len(numbers)} sections"
    return f"section {numbers[0]}" if len(numbers) == 1 else f"sections {numbers[0]} to {numbers[-1]}"


def rewrite_section(
    shared: Shared, brief: Brief, outline: Outline, number: int, text: str, words: int, wrong: Sequence[str]
) -> Assignment[str]:
    """Section ``number`` (from 1) corrected: ``wrong`` are sentences that say what is wrong with ``text``."""
    fields = section_fields(brief, outline, number, words) | {
        "text": quote_markdown(text),
        "count": count_words(text),
        "wrong": bullet_list(wrong),
    }
    return Assignment("rewrite_section", str, fields, lambda: text, shared)


def extend_section(
    shared: Shared, brief: Brief, outline: Outline, number: int, text: str, words: int
) -> Assignment[str]:
    """A paragraph of ``words`` words that continues ``text``, which is section ``number`` (from 1)."""
    fields = section_fields(brief, outline, number, words) | {"text": quote_markdown(text)}
    return Assignment("extend_section", str, fields, lambda: "", shared)
