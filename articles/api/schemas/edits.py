"""Response bodies for an edited text."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from articles.api.schemas.articles import ArticleOut, Problem
from articles.services import MergeConflict


class EditedOut(ArticleOut):
    """The article as saved. `merged_with` is the newer revision whose changes the text has as well, or null."""

    merged_with: int | None


class ConflictOut(BaseModel):
    """A place that both changed: the text both began with, yours and the newest."""

    base: str
    yours: str
    newest: str


class EditConflictOut(Problem):
    """`content` has the changes of both, and yours in the `conflicts`. Only `detail` is there if the reason is another."""

    revision: Annotated[int | None, Field(description="Number of the newest revision")] = None
    title: str | None = None
    content: str | None = None
    newest_title: str | None = None
    newest_content: str | None = None
    conflicts: list[ConflictOut] | None = None

    @classmethod
    def of(cls, error: MergeConflict) -> EditConflictOut:
        merge = error.merge
        return cls(
            detail=f"{error} Change it and save it again, based on revision {merge.newest.number}.",
            revision=merge.newest.number,
            title=merge.title.merged,
            content=merge.content,
            newest_title=merge.newest.title,
            newest_content=merge.newest.content,
            conflicts=[ConflictOut(base=each.base, yours=each.mine, newest=each.theirs) for each in merge.conflicts],
        )
