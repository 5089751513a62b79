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
    section = outline.sections[number - 1]
    fields = section_fields(brief, outline, number, words) | {
        "purpose": section.purpose or section.heading,
        "points": points_of(brief, outline, [number]),
        "rules": config("writing")["rules"],
    }
    return Assignment(
        "write_section",
        str,
        fields,
        lambda: extractive.write_section(brief, outline, number - 1, passages).markdown,
        shared,
    )


def points_of(brief: Brief, outline: Outline, numbers: Sequence[int]) -> str:
    """What a person who approved the outline wants said in the sections ``numbers``, and how long they should be."""
    if not brief.approve_outline:
        return ""
    sections = [(number, outline.sections[number - 1]) for number in numbers]
    lines = [f"{number}. ({section.words} words)\n{points_text(section.points)}" for number, section in sections]
    approved = "\n".join(lines)
    return f"{config('writing')['points'].format(points=approved)}\n"


def write_sections(
    shared: Shared,
    brief: Brief,
    outline: Outline,
    words: Mapping[int, int],
    opening: int,
    passages: Sequence[Passage],
) -> Assignment[str]:
    """The sections that ``words`` names by number (from 1), of so many words each, each below a line ``## number. heading``.

    Above the first one stand a title and an introduction of ``opening`` words, if that is not 0.
    """
    words_of, numbers = config("writing"), list(words)
    is_whole = len(numbers) == len(outline.sections)
    structure = [words_of["structure"]["opening"].format(lead=opening)] * bool(opening)
    fields: dict[str, object] = {
        "which": "the article" if is_whole else f"{sections_text(outline, numbers)} of the article",
        "language": language_name(brief.language),
        "words": sum(words.values()) + opening,
        "elsewhere": "" if is_whole else words_of["elsewhere"],
        "structure": " ".join([*structure, words_of["structure"]["sections"]]),
        "points": points_of(brief, outline, numbers),
        "rules": words_of["rules"],
    }

    def built_in() -> str:
        texts = (extractive.write_section(brief, outline, number - 1, passages).markdown for number in numbers)
        headings = (outline.sections[number - 1].heading for number in numbers)
        return "\n\n".join(
            f"## {number}. {heading}\n\n{text}" for number, heading, text in zip(numbers, headings, texts, strict=True)
        )

    return Assignment("write_sections", str, fields, built_in, shared)


def write_article(shared: Shared, brief: Brief) -> Assignment[str]:
    """The article with a structure of the writer's own. Never used with the built-in writer, which follows the outline."""
    fields: dict[str, object] = {
        "language": language_name(brief.language),
        "words": brief.min_words,
        "rules": config("writing")["rules"],
    }
    return Assignment("write_article", str, fields, lambda: "", shared)


def sections_text(outline: Outline, numbers: Sequence[int]) -> str:
    """``section 2``, ``sections 2 to 4``, ``all 5 sections`` or, for number 0, ``the introduction``."""
    if not numbers[0]:
        return "the introduction"
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
