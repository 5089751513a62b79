"""Turns the footnotes of a DOCX file into endnotes, which Word lists at the end of the document. Pandoc writes footnotes only."""

from __future__ import annotations

import io
import re
import zipfile

_TAG = re.compile(r"(</?w:)footnote(s|Ref|Reference)?(?=[\s/>])")
_SECTION_SETTINGS = re.compile(r"<w:footnotePr>.*?</w:footnotePr>", re.DOTALL)
_ARABIC = '<w:endnotePr><w:numFmt w:val="decimal"/></w:endnotePr>'  # Word's default is i, ii, iii


def with_endnotes(docx: bytes) -> bytes:
    """The styles keep their names, "Footnote Text" and "Footnote Reference"."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx)) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in source.infolist():
            content = source.read(member)
            if member.filename in _CHANGES:
                content = _CHANGES[member.filename](content.decode()).encode()
            archive.writestr(_renamed(member.filename), content)
    return target.getvalue()


def _renamed(text: str) -> str:
    return text.replace("footnotes", "endnotes")


def _document(xml: str) -> str:
    return _TAG.sub(r"\1endnote\2", _SECTION_SETTINGS.sub(_ARABIC, xml))


def _relationships(xml: str) -> str:
    """Without the addresses of links, which may contain the word as well."""
    return re.sub(r"<Relationship [^>]*relationships/footnotes\"[^>]*>", lambda found: _renamed(found[0]), xml)


_CHANGES = {
    "[Content_Types].xml": _renamed,
    "word/_rels/document.xml.rels": _relationships,
    "word/document.xml": _document,
    "word/footnotes.xml": _document,
}
