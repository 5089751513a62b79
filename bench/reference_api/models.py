"""The tables of the reference API: the columns of the studio's articles, and keys that are stored as hashes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSON, list[Any]: JSON}


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(150), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)


class ApiKey(Base):
    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()


class Article(Base):
    __tablename__ = "articles"
    __table_args__ = (Index("articles_of_owner", "owner_id", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    topic: Mapped[str] = mapped_column(String(300))
    tone: Mapped[str] = mapped_column(String(100))
    target_audience: Mapped[str] = mapped_column(String(200))
    min_words: Mapped[int]
    include_image: Mapped[bool]
    seo_optimize: Mapped[bool]
    language: Mapped[str] = mapped_column(String(35))
    keywords: Mapped[list[Any]]
    notes: Mapped[str] = mapped_column(Text, default="")
    voice: Mapped[str | None] = mapped_column(String(100))
    approve_outline: Mapped[bool]
    writing: Mapped[str]
    allow_uncited: Mapped[bool]

    status: Mapped[str] = mapped_column(String(20), index=True)
    progress_percentage: Mapped[int]
    current_agent: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(Text)

    title: Mapped[str] = mapped_column(String(300))
    content: Mapped[str] = mapped_column(Text)
    word_count: Mapped[int]
    revision: Mapped[int]
    cost: Mapped[float]
    outline: Mapped[dict[str, Any] | None]
    seo_meta: Mapped[dict[str, Any] | None]
    research_data: Mapped[dict[str, Any] | None]
    references: Mapped[list[Any]]
    evidence: Mapped[dict[str, Any]]
    image_url: Mapped[str | None] = mapped_column(String(300))
    image_alt: Mapped[str] = mapped_column(String(300))
    image_drawn_by: Mapped[str] = mapped_column(String(200))
    notice: Mapped[str] = mapped_column(Text)

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)
    completed_at: Mapped[datetime | None]
