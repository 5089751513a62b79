"""Exports to PDF (pandoc and Typst), DOCX and EPUB 3 (pandoc)."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents.text.chart import charts_as_tables
from articles.exports import pandoc, typesetting
from articles.exports.document import Document
from articles.exports.pandoc_tree import NO_ATTRIBUTES, Footnotes, Node, level_headings, raw, sanitized, text

TEMPLATES = Path(__file__).parent / "templates"


def pdf(document: Document) -> bytes:
    """A4 with footnotes, tagged for screen readers (PDF/UA-1)."""
    notes = Footnotes(
        first=lambda number, note: [note, raw("typst", f"<note-{number}>")],
        # The semicolon ends the code, so that a bracket after it is text.
        repeated=lambda number: [raw("typst", f"#footnote(<note-{number}>);")],
    )
    with _temporary_folder() as folder:
        source = pandoc.write(_tree(document, notes), "typst", "--template", TEMPLATES / "article.typ", folder=folder)
        return typesetting.compile_pdf(source.decode(), document, folder)


def docx(document: Document) -> bytes:
    """For Word and compatible programs, with real footnotes and headings."""
    tree = _tree(document, Footnotes(first=_bookmarked_footnote, repeated=_cross_reference))
    with _temporary_folder() as folder:
        if cover := document.write_cover(folder):
            image = {"t": "Image", "c": [NO_ATTRIBUTES, [text(document.cover_alt)], [cover, ""]]}
            tree["blocks"].insert(0, {"t": "Para", "c": [image]})
        return pandoc.write(tree | {"meta": _meta(document)}, "docx", folder=folder)


def epub(document: Document) -> bytes:
    """One chapter, so that all footnotes are at its end, with a table of contents and the cover."""
    tree = _tree(document, Footnotes(first=lambda _, note: [note], repeated=_footnote_link))
    # The same for every export, so that e-readers recognise the book.
    identifier = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{document.day} {document.title}')}"
    meta = _meta(document) | {"identifier": _inlines(identifier), "subject": _list(document.keywords)}
    options: list[str | Path] = ["--css", TEMPLATES / "epub.css", "--shift-heading-level-by=1"]
    with _temporary_folder() as folder:
        if cover := document.write_cover(folder):
            options += ["--epub-cover-image", cover]
        return pandoc.write(tree | {"meta": meta}, "epub3", *options, folder=folder)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        yield Path(folder)


def _tree(document: Document, notes: Footnotes) -> dict[str, Any]:
    tree = sanitized(pandoc.read(charts_as_tables(document.body)))
    level_headings(tree["blocks"])
    numbered: dict[str, Any] = notes.numbered(tree)
    return numbered


def _inlines(value: str) -> Node:
    return {"t": "MetaInlines", "c": [text(value)]}


def _list(values: Iterable[str]) -> Node:
    return {"t": "MetaList", "c": [_inlines(value) for value in values]}


def _meta(document: Document) -> dict[str, Node]:
    return {
        "title": _inlines(document.title),
        "author": _inlines(document.author),
        "date": _inlines(document.day),
        "lang": _inlines(document.language),
        "description": _inlines(document.description),
        "keywords": _list(document.keywords),
    }


# Repeated references to a footnote: a cross-reference in Word, a link in EPUB.


def _bookmarked_footnote(number: int, note: Node) -> list[Node]:
    start = f'<w:bookmarkStart w:id="{9000 + number}" w:name="_RefNote{number}"/>'
    return [raw("openxml", start), note, raw("openxml", f'<w:bookmarkEnd w:id="{9000 + number}"/>')]


def _cross_reference(number: int) -> list[Node]:
    style = '<w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr>'
    return [
        raw(
            "openxml",
            f'<w:r>{style}<w:fldChar w:fldCharType="begin"/></w:r>'
            f'<w:r>{style}<w:instrText xml:space="preserve"> NOTEREF _RefNote{number} \\f \\h </w:instrText></w:r>'
            f'<w:r>{style}<w:fldChar w:fldCharType="separate"/></w:r>'
            f"<w:r>{style}<w:t>{number}</w:t></w:r>"
            f'<w:r>{style}<w:fldChar w:fldCharType="end"/></w:r>',
        )
    ]


def _footnote_link(number: int) -> list[Node]:
    attributes = ["", ["footnote-ref"], [["role", "doc-noteref"]]]
    return [{"t": "Link", "c": [attributes, [text(str(number))], [f"#fn{number}", ""]]}]
