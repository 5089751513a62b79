"""Parses JSON that is stored with an article. What an older version stored in another shape is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents.contract import SEO
from articles.models import Article

Model = TypeVar("Model", bound=BaseModel)


def seo_of(article: Article) -> SEO | None:
    """The article's SEO metadata, or None."""
    return next(iter(parse_valid([article.seo_meta] if article.seo_meta else [], SEO)), None)


def parse_valid(items: Iterable[Any], model: type[Model]) -> list[Model]:
    """The items that ``model`` accepts."""
    parsed = []
    for item in items:
        try:
            parsed.append(model.model_validate(item))
        except ValidationError:
            continue
    return parsed
