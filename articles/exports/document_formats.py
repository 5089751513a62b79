"""Exports to PDF (pandoc and Typst), DOCX and EPUB 3 (pandoc)."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agents.text.chart import charts_as_tables
from agents.text.reference_words import ReferenceWords, reference_words
from articles.exports import pandoc, typesetting
from articles.exports.document import Document
from articles.exports.endnotes import with_endnotes
from articles.exports.pandoc_tree import NO_ATTRIBUTES, Footnotes, Node, level_headings, raw, sanitized, text

TEMPLATES = Path(__file__).parent / "templates"


def pdf(document: Document) -> bytes:
    """A4 with a list of references at the end, tagged for screen readers (PDF/UA-1)."""
    with _temporary_folder() as folder:
        tree = _with_list(document, back=False)
        source = pandoc.write(tree, "typst", "--template", TEMPLATES / "article.typ", folder=folder)
        return typesetting.compile_pdf(source.decode(), document, folder)


def docx(document: Document) -> bytes:
    """For Word and compatible programs, with real endnotes and headings."""
    notes = Footnotes(first=_bookmarked_note, repeated=_cross_reference)
    tree = _tree(document, notes)
    if notes.contents:
        tree["blocks"].append(_heading(reference_words(document.language)))
    with _temporary_folder() as folder:
        if cover := document.write_cover(folder):
            image = {"t": "Image", "c": [NO_ATTRIBUTES, [text(document.cover_alt)], [cover, ""]]}
            tree["blocks"].insert(0, {"t": "Para", "c": [image]})
        return with_endnotes(pandoc.write(tree | {"meta": _meta(document)}, "docx", folder=folder))


def epub(document: Document) -> bytes:
    """One chapter with the list of references at its end, with a table of contents and the cover."""
    tree = _with_list(document, back=True)
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


def _heading(words: ReferenceWords) -> Node:
    return {"t": "Header", "c": [1, ["_references", [], []], [text(words.heading)]]}


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


# Notes as links to a list of references


def _with_list(document: Document, *, back: bool) -> dict[str, Any]:
    """The tree with its footnotes as a list under a heading at the end; with ``back``, each entry links to its first mark."""
    words = reference_words(document.language)

    def mark(number: int, id: str) -> Node:
        named = [["role", "doc-noteref"], ["aria-label", words.reference.format(number)]]
        link = {"t": "Link", "c": [[id, ["footnote-ref"], named], [text(str(number))], [f"#fn{number}", ""]]}
        return {"t": "Superscript", "c": [link]}

    notes = Footnotes(
        first=lambda number, _: [mark(number, f"fnref{number}")], repeated=lambda number: [mark(number, "")]
    )
    tree = _tree(document, notes)
    entries = [_entry(number, content, words if back else None) for number, content in enumerate(notes.contents, 1)]
    if entries:
        style = [1, {"t": "Decimal"}, {"t": "Period"}]
        items = {"t": "OrderedList", "c": [style, entries]}
        tree["blocks"] += [_heading(words), {"t": "Div", "c": [["_entries", [], []], [items]]}]
    return tree


def _entry(number: int, content: list[Node], back: ReferenceWords | None) -> list[Node]:
    """An item of the list. With words for it, the link back follows the last paragraph."""
    blocks = list(content)
    if back:
        named = [["role", "doc-backlink"], ["aria-label", back.back.format(number)]]
        link = {"t": "Link", "c": [["", [], named], [text("\u21a9\ufe0e")], [f"#fnref{number}", ""]]}
        above = blocks.pop()["c"] if blocks and blocks[-1]["t"] in ("Para", "Plain") else []
        blocks.append({"t": "Para", "c": [*above, {"t": "Space"}, link]})
    return [{"t": "Div", "c": [[f"fn{number}", [], []], blocks]}]


# Notes of Word: repeated references are cross-references to the first one.


def _bookmarked_note(number: int, note: Node) -> list[Node]:
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
