"""Request and response bodies for outlines."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt

from agents.contract import MAX_HEADING, MAX_SECTIONS, Outline
from agents.input_types import Line, Prose
from articles.api.schemas.articles import In
from articles.forms.outline import MAX_PASSAGES, MAX_POINT, MAX_POINTS, MAX_PURPOSE, MAX_WISH, MIN_SECTIONS
from articles.models import Status

SeenSeq = Annotated[
    StrictInt | None,
    Field(ge=0, description="`last_seq` of the outline as you read it: 409 where there is another by now"),
]


class OutlineSectionIn(In):
    """``words`` of 0 are a share of what the other sections leave of the length; ``sources`` are ids of passages."""

    heading: Annotated[str, Field(min_length=2, max_length=MAX_HEADING), Line]
    purpose: Annotated[str, Field(max_length=MAX_PURPOSE), Prose] = ""
    points: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_POINT), Line]], Field(max_length=MAX_POINTS)
    ] = []
    sources: Annotated[
        list[Annotated[str, Field(max_length=20), Line]],
        Field(max_length=MAX_PASSAGES, description="Such as S3. What was not read is left out"),
    ] = []
    words: Annotated[StrictInt, Field(ge=0, description="50–600, or 0")] = 0


class OutlineIn(In):
    title: Annotated[str, Field(min_length=5, max_length=MAX_HEADING), Line]
    sections: Annotated[list[OutlineSectionIn], Field(min_length=MIN_SECTIONS, max_length=MAX_SECTIONS)]

    def as_outline(self) -> Outline:
        return Outline.model_validate(self.model_dump())


class ApprovalIn(In):
    """Without an ``outline``, the waiting one is approved unchanged."""

    outline: OutlineIn | None = None
    seen_seq: SeenSeq = None


class RegenerateIn(In):
    wish: Annotated[str, Field(min_length=1, max_length=MAX_WISH, description="What should change"), Prose]
    seen_seq: SeenSeq = None


class OutlineOut(BaseModel):
    """``outline`` is null until it is made; ``min_words`` the length asked for; ``last_seq`` the article's newest event."""

    id: int
    status: Status
    outline: Annotated[dict[str, Any] | None, Field(description="`title`, and `sections` as `approve` takes them")]
    min_words: int
    last_seq: int
