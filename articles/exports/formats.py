"""The formats an article is offered in, and the one way to ask for one."""

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
    """A kind of file: its media type, the end of its name with the dot, what a person calls it, and what writes it."""

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
    """The file's bytes. ``format`` is a key of :data:`FORMATS`; raises :class:`ExportFailed` with a reason for its reader."""
    if format not in FORMATS:
        raise ExportFailed(f"There is no export as “{format[:20]}”. Ask for one of: {', '.join(FORMATS)}.")
    try:
        return FORMATS[format].write(document.printable())
    except RecursionError as error:
        raise ExportFailed(
            "Lists or quotes in this text are nested too deeply to be exported. Flatten them."
        ) from error


def filename(title: str, format: str) -> str:
    """A name of at most 80 ASCII characters that every system takes; ``article`` where no letter of the title is left."""
    return (slugify(title)[:NAME_LENGTH].strip("-_") or "article") + FORMATS[format].suffix
