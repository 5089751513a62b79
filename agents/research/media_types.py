"""The kinds of file the studio reads, recognised by media type or file name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

Kind = Literal["html", "text", "markdown", "pdf", "docx"]

MEDIA_TYPES: dict[str, Kind] = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/plain": "text",
    "text/markdown": "markdown",
    "text/x-markdown": "markdown",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
SUFFIXES: dict[str, Kind] = {
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".pdf": "pdf",
    ".docx": "docx",
}
# Sent by servers that do not know the type: the file name tells more.
UNKNOWN = {"", "application/octet-stream", "binary/octet-stream"}


def kind_of_name(name: str) -> Kind | None:
    return SUFFIXES.get(PurePosixPath(name).suffix.lower())


def kind_of_answer(content_type: str, path: str) -> Kind | None:
    """The kind of a page served as ``content_type`` at ``path``; None if the studio cannot read it."""
    media_type = content_type.partition(";")[0].strip().lower()
    return kind_of_name(path) if media_type in UNKNOWN else MEDIA_TYPES.get(media_type)


@dataclass(frozen=True)
class Expected:
    """The types a fetched file may have: ``names`` for messages, ``accepts(content_type, path)`` as the check."""

    names: str
    accepts: Callable[[str, str], bool]


DOCUMENTS = Expected(
    "web pages, plain text, Markdown, PDF and DOCX",
    lambda content_type, path: kind_of_answer(content_type, path) is not None,
)
IMAGES = Expected(
    "PNG, JPEG and WebP images",
    lambda content_type, path: (
        content_type.partition(";")[0].strip().lower() in ("image/png", "image/jpeg", "image/webp")
    ),
)
