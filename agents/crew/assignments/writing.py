"""Assignments of the writer: a section, the whole article, and a section at another length."""

from __future__ import annotations

from collections.abc import Sequence

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
    words_of, count = config("writing"), len(outline.sections)
    place = "first" if number == 1 else "last" if number == count else "between"
    fields = section_fields(brief, outline, number, words) | {
        "purpose": section.purpose or section.heading,
        "form": words_of["forms"][section.form],
        "points": points_text(section.points),
        "place": words_of["place"][place],
        "rules": words_of["rules"],
    }
    return Assignment(
        "write_section",
        str,
        fields,
        lambda: extractive.write_section(brief, outline, number - 1, passages).markdown,
        shared,
    )


def write_article(
    shared: Shared, brief: Brief, outline: Outline, passages: Sequence[Passage], words: int
) -> Assignment[str]:
    """All sections in one answer, each below a line ``## number. heading``."""
    fields: dict[str, object] = {
        "sections": len(outline.sections),
        "language": language_name(brief.language),
        "words": words,
        "place": config("writing")["place"]["whole"],
        "rules": config("writing")["rules"],
    }

    def built_in() -> str:
        texts = (
            extractive.write_section(brief, outline, place, passages).markdown for place in range(len(outline.sections))
        )
        pairs = enumerate(zip(outline.sections, texts, strict=True), 1)
        return "\n\n".join(f"## {number}. {section.heading}\n\n{text}" for number, (section, text) in pairs)

    return Assignment("write_article", str, fields, built_in, shared)


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
