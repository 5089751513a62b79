"""Channel group names and the messages sent to them. Each article has one group.

An ``EventNotification`` carries ids only: the consumer reads the events from the database. A ``DraftsMessage`` carries its
content, because previews of text that is being written are never stored.
"""

from __future__ import annotations

from typing import Literal, TypedDict


class EventNotification(TypedDict):
    type: Literal["event.recorded"]
    article: int
    seq: int


class Draft(TypedDict):
    """A piece of text that ``step`` is writing, starting at character ``offset`` of it."""

    step: str
    offset: int
    text: str


class DraftsMessage(TypedDict):
    type: Literal["drafts.written"]
    article: int
    drafts: list[Draft]


def group_name(article_id: int) -> str:
    return f"article.{article_id}"


def editors_group_name(article_id: int) -> str:
    """The group of those who edit the article's text."""
    return f"article.{article_id}.editors"


def event_notification(article_id: int, seq: int) -> EventNotification:
    return {"type": "event.recorded", "article": article_id, "seq": seq}


def drafts_message(article_id: int, drafts: list[Draft]) -> DraftsMessage:
    return {"type": "drafts.written", "article": article_id, "drafts": drafts}
