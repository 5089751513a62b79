"""Parses JSON that is stored with an article or a run. What another version stored in another shape is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents.contract import Reading, Reference
from articles.models import Article

Shape = TypeVar("Shape", bound=BaseModel)


def parse_or_none(stored: Any, shape: type[Shape]) -> Shape | None:
    """``stored`` as ``shape``; None if another version stored it in another shape."""
    try:
        return shape.model_validate(stored)
    except ValidationError:
        return None


def parse_valid(items: Iterable[Any], shape: type[Shape]) -> list[Shape]:
    """The items that ``shape`` accepts."""
    return [parsed for item in items if (parsed := parse_or_none(item, shape))]


def stored_reading(article: Article) -> Reading:
    """What was read for the article's text."""
    return parse_or_none(article.research_data or {}, Reading) or Reading()


def stored_references(article: Article) -> list[Reference]:
    """The references as the run compiled them. Edits may have changed their order since."""
    return parse_valid(article.references, Reference)
