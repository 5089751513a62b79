"""Request and response bodies for revisions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictInt

from articles.api.schemas.articles import In
from articles.revisions.origins import Origin
from articles.services import Name


class NameIn(In):
    """An empty name removes it."""

    name: Name


class RestoreIn(In):
    """`revision` is the number of the newest revision, as it was read.

    With `changes` or `title`, only these changes since the restored revision are undone: `changes` are numbers from the
    comparison with `revision`. Without both, the whole text and title are restored.
    """

    revision: Annotated[StrictInt, Field(ge=0)]
    changes: Annotated[list[StrictInt], Field(max_length=1000)] = []
    title: bool = False


class RevisionOut(BaseModel):
    number: int
    name: Annotated[str, Field(description="What people call it; may be empty")]
    title: str
    author: str
    summary: Annotated[str, Field(description="What changed since the revision before")]
    created_at: datetime


class RevisionsOut(BaseModel):
    items: list[RevisionOut]
    count: int


class RevisionTextOut(RevisionOut):
    content: str


class PieceOut(BaseModel):
    kind: Literal["same", "removed", "added"]
    text: str


class ChangeOut(BaseModel):
    """A change that can be restored by itself. `moved_with` is the number of the change at the other place of what was moved."""

    number: int
    kind: Literal["text", "heading", "item", "quote", "row", "code", "note"]
    section: Annotated[str, Field(description="The heading of its section; empty in the introduction")]
    pieces: list[PieceOut]
    moved_with: int


class ComparisonOut(BaseModel):
    before: int
    after: int
    summary: str
    words: Annotated[int, Field(description="How many more words the newer text has")]
    title: Annotated[list[PieceOut], Field(description="Empty if both have the same title")]
    changes: Annotated[list[ChangeOut], Field(description="The first 500, in the order of the text")]
    count: Annotated[int, Field(description="How many changes there are")]


class SentenceOriginOut(BaseModel):
    start: Annotated[int, Field(description="In characters of the revision's `content`")]
    end: int
    origin: Annotated[
        Origin,
        Field(description="`crew_edited`: the crew's sentence, changed by a person; `import`: brought in from a file"),
    ]


class OriginsOut(BaseModel):
    """Sentences, headings and table rows in their order, without footnotes."""

    revision: int
    words: Annotated[dict[Origin, int], Field(description="How many words are of each origin")]
    sentences: list[SentenceOriginOut]
