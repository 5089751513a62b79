"""The list of references in every export: what is cited and no more, in the article's language, each entry resolvable."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from html import unescape

import pypandoc
import pypdf
import pytest

from agents.contract import Passage, Reading, Source
from agents.text.citations import compile_references
from articles.exports import FORMATS, Document, export
from tests.articles.export_samples import article, parts, words

READ_AT = datetime(2026, 11, 29, tzinfo=UTC)
LINK = "https://institut.example/studie.pdf#page=17"
STUDY = "Wärmepumpen im Bestand. Institut für Gebäude, A. Müller, 31. Mai 2024."
NOTES = "Eigene Notizen <b>*. Mit dem Auftrag übergeben, gelesen am 29. November 2026."
UNSAFE = "Eine Seite. Verlag. S. 3."


def german_article(language: str = "de") -> Document:
    sources = [
        Source(
            number=1,
            title="Wärmepumpen im Bestand",
            url="https://institut.example/studie.pdf",
            publisher="Institut für Gebäude",
            author="A. Müller",
            date="2024-05-31",
            read_at=READ_AT,
            sha256="0" * 64,
        ),
        Source(number=2, title="Nie zitiert", url="https://unused.example", read_at=READ_AT, sha256="1" * 64),
        Source(number=3, title="Eigene Notizen <b>*", read_at=READ_AT, sha256="2" * 64, brief_source=5),
        Source(
            number=4,
            title="Eine Seite",
            url="javascript:alert(1)",
            publisher="Verlag",
            read_at=READ_AT,
            sha256="3" * 64,
        ),
    ]
    owners = {1: (1, 17), 2: (1, 21), 3: (2, 0), 4: (3, 0), 5: (4, 3)}
    passages = [
        Passage(id=f"S{number}", source=owner, start=0, end=4, text="Text", page=page)
        for number, (owner, page) in owners.items()
    ]
    text = (
        '## Lohnt es sich?\n\nDer Wert lag bei "drei" [S1]. Er sank auf zwei [S2]. Das ist knapp [S4].\n\n'
        "Gut zu wissen [S5]. Am Ende zählt das Haus [S2]. Falsch ist nichts [S99].\n"
    )
    content, _ = compile_references(text, Reading(sources=sources, passages=passages), language)
    return article(content, title="Wärmepumpen", language=language)


def shown(document: Document, format: str) -> str:
    """The visible text of the export on one line."""
    text = words(export(document, format), format)
    if format == "md":
        text = re.sub(r"\\(.)", r"\1", text)
    if format == "html":
        text = re.sub(r"<[^>]+>", "", text)
    if format in ("html", "docx", "epub"):
        text = unescape(text)
    return " ".join(text.split())


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_lists_exactly_what_is_cited(format: str) -> None:
    text = shown(german_article(), format)
    assert "Quellen" in text
    assert text.count("Wärmepumpen im Bestand") == 1
    assert STUDY in text
    assert re.search(r"S\. 17, 21\.", text)
    assert NOTES in text
    assert UNSAFE in text
    assert "Nie zitiert" not in text
    assert "javascript" not in text
    assert "„drei“" in text
    assert not re.search(r"References|provided with|read on|S99", text)


@pytest.mark.parametrize(("language", "heading"), [("en", "References"), ("fr", "Sources"), ("ja", "参考資料")])
@pytest.mark.parametrize("format", ["md", "html", "docx", "epub"])
def test_the_heading_is_in_the_language_of_the_article(format: str, language: str, heading: str) -> None:
    assert heading in shown(german_article(language), format)


def test_the_heading_stands_above_the_list() -> None:
    markdown, html = (export(german_article(), format).decode() for format in ("md", "html"))
    assert re.search(r"\n\n## Quellen\n\n\[\^1\]: Wärmepumpen", markdown)
    assert re.search(r">Quellen</h2>\n<ol>\n<li[^>]*>\s*<p>Wärmepumpen im Bestand", html)
    chapter = parts(export(german_article(), "epub"))["EPUB/text/ch001.xhtml"]
    assert re.search(
        r"<h2>Quellen</h2>\n<div[^>]*>\n<ol[^>]*>\n<li><div id=\"fn1\">\n<p>Wärmepumpen im Bestand", chapter
    )
    paragraphs = re.findall(r"<w:p>.*?</w:p>", parts(export(german_article(), "docx"))["word/document.xml"], re.DOTALL)
    assert "Quellen" in paragraphs[-1]
    pdf = shown(german_article(), "pdf")
    assert pdf.index("nichts.") < pdf.index("Quellen") < pdf.index("Wärmepumpen im Bestand")


def test_a_page_of_a_pdf_is_linked_in_every_format() -> None:
    document = german_article()
    assert f"<{LINK}>" in export(document, "md").decode()
    assert f'href="{LINK}"' in export(document, "html").decode()
    assert LINK in parts(export(document, "docx"))["word/_rels/endnotes.xml.rels"]
    assert f'href="{LINK}"' in parts(export(document, "epub"))["EPUB/text/ch001.xhtml"]
    pages = pypdf.PdfReader(io.BytesIO(export(document, "pdf"))).pages
    targets = [note.get_object().get("/A", {}).get("/URI") for page in pages for note in page["/Annots"]]  # type: ignore[attr-defined]
    assert LINK in targets


def test_the_marks_of_a_pdf_lead_to_the_list() -> None:
    reader = pypdf.PdfReader(io.BytesIO(export(german_article(), "pdf")))
    links = [note.get_object() for page in reader.pages for note in page["/Annots"]]  # type: ignore[attr-defined]
    assert sum("/Dest" in link or "/D" in link.get("/A", {}) for link in links) == 4  # one for each mark


def test_word_reads_the_notes_of_a_docx_as_endnotes() -> None:
    file = export(german_article(), "docx")
    read = pypandoc.convert_text(file, "markdown-smart", format="docx", extra_args=["--wrap=none"])
    assert re.search(r"\n# Quellen\n\n\[\^1\]: Wärmepumpen im Bestand\. Institut für Gebäude", read)
    assert read.count("[^1]") == 2


def test_labels_for_screen_readers_are_in_the_language_of_the_article() -> None:
    for page in (
        export(german_article(), "html").decode(),
        parts(export(german_article(), "epub"))["EPUB/text/ch001.xhtml"],
    ):
        assert 'aria-label="Quelle 1"' in page
        assert 'aria-label="Zurück zu Verweis 1"' in page


@pytest.mark.parametrize("format", FORMATS)
def test_a_text_without_references_has_no_list(format: str) -> None:
    assert "References" not in shown(article("Plain words.\n"), format)


def test_definitions_in_code_are_no_list() -> None:
    text = "Text.\n\n```\n[^1]: not a source\n```"
    assert export(article(text), "md").decode() == f"# Rooftop gardens\n\n{text}\n"
