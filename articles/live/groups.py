"""Names and messages of the channel layer's groups: one group an article.

A ring says that there is something newer than you have; the listener reads it from the store. A draft is the exception: a
preview of text being written, which is never stored.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class EventNotification(TypedDict):
    type: Literal["event.recorded"]
    article: int
    seq: int


class Draft(TypedDict):
    """``text`` at ``offset`` characters of what ``step`` is writing."""

    step: str
    offset: int
    text: str


class DraftsWritten(TypedDict):
    type: Literal["drafts.written"]
    article: int
    drafts: list[Draft]


def group_name(article_id: int) -> str:
    return f"article.{article_id}"


def ring(article_id: int, seq: int) -> EventNotification:
    return {"type": "event.recorded", "article": article_id, "seq": seq}


def drafts_written(article_id: int, drafts: list[Draft]) -> DraftsWritten:
    return {"type": "drafts.written", "article": article_id, "drafts": drafts}
