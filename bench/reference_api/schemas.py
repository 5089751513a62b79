"""The responses of the reference API: the same JSON fields as the studio's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class StatusOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    status: str
    current_agent: str
    progress_percentage: int
    message: str


class ListedOut(StatusOut):
    topic: str
    tone: str
    target_audience: str
    min_words: int
    include_image: bool
    seo_optimize: bool
    language: str
    keywords: list[str]
    voice: str | None
    approve_outline: bool
    writing: str
    allow_uncited: bool
    title: str
    word_count: int
    image_url: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None


class ListOut(BaseModel):
    items: list[ListedOut]
    count: int


class Links(BaseModel):
    page: str
    status: str
    result: str
    events: str
    socket: str


class ArticleOut(ListedOut):
    notes: str
    content: str
    notice: str
    revision: int
    cost: float
    links: Links


class ResultOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    status: str
    topic: str
    title: str
    content: str
    outline: dict[str, Any] | None
    seo_meta: dict[str, Any] | None
    image_url: str | None
    image_alt: str
    image_drawn_by: str
    research_data: dict[str, Any] | None
    references: list[dict[str, Any]]
    evidence: dict[str, Any]
    notice: str
    word_count: int
    created_at: datetime
    completed_at: datetime | None
