"""The export formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.text import slugify

from articles.exceptions import ExportFailed
from articles.exports import document_formats, text_formats
from articles.exports.document import Document

NAME_LENGTH = 72


@dataclass(frozen=True)
class Format:
    """``suffix`` includes the dot; ``label`` is shown to people."""

    media_type: str
    suffix: str
    label: str
    write: Callable[[Document], bytes]


FORMATS: dict[str, Format] = {
    "md": Format("text/markdown; charset=utf-8", ".md", "Markdown", text_formats.markdown),
    "html": Format("text/html; charset=utf-8", ".html", "HTML", text_formats.html),
    "pdf": Format("application/pdf", ".pdf", "PDF", document_formats.pdf),
    "docx": Format(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".docx",
        "Word (DOCX)",
        document_formats.docx,
    ),
    "epub": Format("application/epub+zip", ".epub", "E-book (EPUB)", document_formats.epub),
}


def export(document: Document, format: str) -> bytes:
    """``format`` is a key of :data:`FORMATS`. Raises :class:`ExportFailed` with a message for the user."""
    if format not in FORMATS:
        raise ExportFailed(f"Unknown export format “{format[:20]}”. Available: {', '.join(FORMATS)}.")
    try:
        return FORMATS[format].write(document.printable())
    except RecursionError as error:
        raise ExportFailed(
            "Lists or quotes in this text are nested too deeply to be exported. Flatten them."
        ) from error


def filename(title: str, format: str) -> str:
    """At most 80 ASCII characters that are valid on every system; ``article`` if the title has none."""
    return (slugify(title)[:NAME_LENGTH].strip("-_") or "article") + FORMATS[format].suffix
