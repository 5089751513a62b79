"""The formats that are documents: PDF by way of Typst, DOCX and EPUB 3 by pandoc."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from articles.exports import pandoc, typesetting
from articles.exports.document import Document
from articles.exports.pandoc_tree import PLAIN, Node, Notes, level_headings, raw, sanitized, text

TEMPLATES = Path(__file__).parent / "templates"


def pdf(document: Document) -> bytes:
    """Set in A4 with notes at the foot of the page; tagged for screen readers (PDF/UA-1)."""
    notes = Notes(
        first=lambda number, note: [note, raw("typst", f"<note-{number}>")],
        # The semicolon ends the code: a bracket that follows is text.
        again=lambda number: [raw("typst", f"#footnote(<note-{number}>);")],
    )
    with _temporary_folder() as folder:
        source = pandoc.write(_tree(document, notes), "typst", "--template", TEMPLATES / "article.typ", folder=folder)
        return typesetting.compile_pdf(source.decode(), document, folder)


def docx(document: Document) -> bytes:
    """For Word and its like, with true footnotes and headings."""
    tree = _tree(document, Notes(first=_bookmarked_note, again=_note_reference))
    with _temporary_folder() as folder:
        if cover := document.put_cover(folder):
            picture = {"t": "Image", "c": [PLAIN, [text(document.cover_alt)], [cover, ""]]}
            tree["blocks"].insert(0, {"t": "Para", "c": [picture]})
        return pandoc.write(tree | {"meta": _meta(document)}, "docx", folder=folder)


def epub(document: Document) -> bytes:
    """EPUB 3 in one chapter, so that all notes stand at its end, with a table of contents and the cover."""
    tree = _tree(document, Notes(first=lambda _, note: [note], again=_note_link))
    # The same article is the same book to an e-reader, however often it is exported.
    identifier = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{document.day} {document.title}')}"
    meta = _meta(document) | {"identifier": _words(identifier), "subject": _list(document.keywords)}
    options: list[str | Path] = ["--css", TEMPLATES / "epub.css", "--shift-heading-level-by=1"]
    with _temporary_folder() as folder:
        if cover := document.put_cover(folder):
            options += ["--epub-cover-image", cover]
        return pandoc.write(tree | {"meta": meta}, "epub3", *options, folder=folder)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder that a writer has to itself, for as long as it writes."""
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        yield Path(folder)


def _tree(document: Document, notes: Notes) -> dict[str, Any]:
    tree = sanitized(pandoc.read(document.body))
    level_headings(tree["blocks"])
    numbered: dict[str, Any] = notes.numbered(tree)
    return numbered


def _words(value: str) -> Node:
    return {"t": "MetaInlines", "c": [text(value)]}


def _list(values: Iterable[str]) -> Node:
    return {"t": "MetaList", "c": [_words(value) for value in values]}


def _meta(document: Document) -> dict[str, Node]:
    return {
        "title": _words(document.title),
        "author": _words(document.author),
        "date": _words(document.day),
        "lang": _words(document.language),
        "description": _words(document.description),
        "keywords": _list(document.keywords),
    }


# A note that is mentioned again: Word's own cross-reference, and in a book a link.


def _bookmarked_note(number: int, note: Node) -> list[Node]:
    start = f'<w:bookmarkStart w:id="{9000 + number}" w:name="_RefNote{number}"/>'
    return [raw("openxml", start), note, raw("openxml", f'<w:bookmarkEnd w:id="{9000 + number}"/>')]


def _note_reference(number: int) -> list[Node]:
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


def _note_link(number: int) -> list[Node]:
    attributes = ["", ["footnote-ref"], [["role", "doc-noteref"]]]
    return [{"t": "Link", "c": [attributes, [text(str(number))], [f"#fn{number}", ""]]}]
