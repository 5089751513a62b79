"""Assignments of the search editor and the picture editor. They see the article, not its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import create_model

from agents import extractive
from agents.contract import FAQ, Brief, LLMOutput, Outline, PicturePrompt, SearchDescription
from agents.crew.assignments.base import Assignment
from agents.prompts import config
from agents.text.prompt_fields import brief_fields, bullet_list, numbered_article, outline_text
from agents.text.quoting import quote, quote_markdown


def finished_article(brief: Brief, outline: Outline, texts: Sequence[str], lead: str) -> tuple[str]:
    """The block that the prompts about the finished article begin with."""
    article = quote_markdown(f"# {outline.title}\n\n{numbered_article(outline, texts, lead)}")
    block = config("shared")["finished"].format(**brief_fields(brief), article=article)
    return (block + "\n\n",)


def titled_outline(outline: Outline) -> str:
    """Title and sections, quoted: a model wrote them from the sources."""
    return quote(f"{outline.title}\n{outline_text(outline)}")


def describe_seo(brief: Brief, outline: Outline, texts: Sequence[str], lead: str = "") -> Assignment[SearchDescription]:
    article = numbered_article(outline, texts)
    return Assignment(
        "describe_seo",
        SearchDescription,
        brief_fields(brief),
        lambda: extractive.describe_seo(brief, outline.title, article),
        finished_article(brief, outline, texts, lead),
    )


def describe_again(
    brief: Brief, outline: Outline, description: SearchDescription, problems: Mapping[str, Sequence[str]]
) -> Assignment[LLMOutput]:
    """The fields of the description that have ``problems``, corrected; the schema has no other fields."""
    wrong: dict[str, Any] = {
        name: (field.annotation, field) for name, field in SearchDescription.model_fields.items() if name in problems
    }
    shape = cast(type[LLMOutput], create_model("CorrectedDescription", __base__=LLMOutput, **wrong))
    fields = brief_fields(brief) | {
        "outline": titled_outline(outline),
        "description": quote(bullet_list(f"{name}: {value}" for name, value in description)),
        "problems": bullet_list(problem for found in problems.values() for problem in found),
        "fields": ", ".join(wrong),
    }
    return Assignment(
        "describe_again", shape, fields, lambda: shape(**{name: getattr(description, name) for name in wrong})
    )


def answer_questions(
    brief: Brief, outline: Outline, texts: Sequence[str], lead: str = "", wrong: str = ""
) -> Assignment[FAQ]:
    """``wrong`` is a sentence that says what was wrong with the previous answer."""
    fields = brief_fields(brief) | {"wrong": f"\n{wrong}\n" if wrong else ""}
    return Assignment(
        "answer_questions", FAQ, fields, lambda: FAQ(faq=[]), finished_article(brief, outline, texts, lead)
    )


def picture_prompt(brief: Brief, outline: Outline) -> Assignment[PicturePrompt]:
    fields = brief_fields(brief) | {"outline": titled_outline(outline)}
    return Assignment("picture_prompt", PicturePrompt, fields, lambda: extractive.picture_prompt(brief, outline))
