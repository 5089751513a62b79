"""What is stored with an article, as shapes. What another version of the studio stored otherwise is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents.contract import SEO
from articles.models import Article

Shape = TypeVar("Shape", bound=BaseModel)


def seo_of(article: Article) -> SEO | None:
    """How the article is described for search; None where it is not."""
    return next(iter(fitting_all([article.seo_meta] if article.seo_meta else [], SEO)), None)


def fitting_all(stored: Iterable[Any], shape: type[Shape]) -> list[Shape]:
    found = []
    for one in stored:
        try:
            found.append(shape.model_validate(one))
        except ValidationError:
            continue
    return found
