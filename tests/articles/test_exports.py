"""The content of exported files in each format."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import pypdf
import pytest

from agents.images.cover import draw_cover
from articles.exceptions import ExportFailed
from articles.exports import FORMATS, export, filename
from tests.articles.export_samples import ARTICLE, BINARY, MARKDOWN, article, parts, words


@pytest.fixture(scope="module")
def cover() -> bytes:
    return draw_cover("Rooftop gardens", seed="1")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_contains_the_article(format: str) -> None:
    shown = words(export(ARTICLE, format), format)
    for phrase in ("Rooftop gardens", "Leaves cool it", "45 %", "Taleghani 2018", "ổn định", "ἀρχή", "кириллица"):
        assert phrase in shown, phrase


def test_markdown_has_the_title_once_and_a_heading_above_its_references() -> None:
    assert export(ARTICLE, "md").decode() == MARKDOWN.replace("\n[^1]:", "\n## References\n\n[^1]:")
    assert export(article("Plain."), "md") == b"# Rooftop gardens\n\nPlain.\n"
    assert export(article("# Another\n\nText."), "md") == b"# Rooftop gardens\n\n# Another\n\nText.\n"


def test_html_is_one_page_that_loads_nothing(cover: bytes) -> None:
    page = export(article(MARKDOWN, title="A <b> & b", cover=cover, cover_alt='A "roof"'), "html").decode()
    assert page.startswith('<!doctype html>\n<html lang="en-GB" dir="ltr">')
    assert "<title>A &lt;b&gt; &amp; b</title>" in page
    assert '<meta name="keywords" content="roofs, heat">' in page
    assert "default-src 'none'" in page
    assert '<img src="data:image/png;base64,iVBOR' in page
    assert 'alt="A &quot;roof&quot;"' in page
    assert not re.search(r'(?:src|href)="(?!data:image/png|#|https://a\.example)', page)


def test_html_has_the_direction_of_the_language() -> None:
    assert '<html lang="ar" dir="rtl">' in export(replace(ARTICLE, language="ar"), "html").decode()


def test_pdf_is_tagged_and_has_metadata(cover: bytes) -> None:
    document = pypdf.PdfReader(io.BytesIO(export(article(MARKDOWN, cover=cover, cover_alt="A roof"), "pdf")))
    assert document.metadata is not None
    assert (document.metadata.title, document.metadata.author) == ("Rooftop gardens", "Content Studio")
    root = document.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]  # type: ignore[index]  # dictionaries of the file
    assert root["/Lang"] == "en-GB"  # type: ignore[index]
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data().decode()  # type: ignore[index]
    assert len(document.pages[0].images) == 1


def test_pdf_gives_repeated_references_one_number() -> None:
    shown = words(export(ARTICLE, "pdf"), "pdf")
    assert shown.count("Taleghani 2018") == shown.count("Rosenzweig") == 1
    assert "as was measured.1" in shown


def test_docx_has_real_endnotes_and_cross_references(cover: bytes) -> None:
    members = parts(export(article(MARKDOWN, cover=cover, cover_alt="A roof"), "docx"))
    body = members["word/document.xml"]
    assert body.count("<w:endnoteReference ") == 2
    assert "<w:endnoteRef />" in members["word/endnotes.xml"]
    assert "footnotes.xml" not in members["[Content_Types].xml"] + members["word/_rels/document.xml.rels"]
    assert '<w:endnotePr><w:numFmt w:val="decimal"/></w:endnotePr>' in body
    assert re.findall(r"NOTEREF (_RefNote\d)", body) == ["_RefNote1", "_RefNote2"]
    assert 'w:name="_RefNote2"' in body
    assert 'descr="A roof"' in body
    assert "roofs, heat" in members["docProps/core.xml"]
    assert 'w:val="en-GB"' in members["word/styles.xml"]


def test_epub_has_a_cover_a_language_and_a_table_of_contents(cover: bytes) -> None:
    file = export(article(MARKDOWN, cover=cover), "epub")
    members = parts(file)
    package = members["EPUB/content.opf"]
    assert 'version="3.0"' in package
    assert "<dc:language>en-GB</dc:language>" in package
    assert 'properties="cover-image"' in package
    assert "What it bears" in members["EPUB/nav.xhtml"]
    assert zipfile.ZipFile(io.BytesIO(file)).namelist()[0] == "mimetype"


def test_epub_links_repeated_references_to_one_entry() -> None:
    chapter = parts(export(ARTICLE, "epub"))["EPUB/text/ch001.xhtml"]
    assert chapter.count('href="ch001.xhtml#fn1"') == chapter.count('href="ch001.xhtml#fn2"') == 2
    assert chapter.count('href="ch001.xhtml#fnref1"') == chapter.count('id="fnref1"') == 1
    assert chapter.count('id="fn1"') == 1
    assert chapter.count("Taleghani") == 1


def test_an_epub_keeps_its_identifier() -> None:
    first, second = (parts(export(ARTICLE, "epub"))["EPUB/content.opf"] for _ in range(2))
    identifier = re.compile(r"urn:uuid:[\w-]+")
    assert identifier.findall(first) == identifier.findall(second) != []


@pytest.mark.parametrize("format", ["html", *BINARY])
def test_an_invalid_cover_is_reported(format: str) -> None:
    with pytest.raises(ExportFailed, match="The image of this article"):
        export(article("Text.", cover=b"<svg/>"), format)


def test_an_unknown_format_is_refused_with_a_list_of_formats() -> None:
    with pytest.raises(ExportFailed, match="md, html, pdf, docx, epub"):
        export(ARTICLE, "exe")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Rooftop gardens: what the evidence says", "rooftop-gardens-what-the-evidence-says.pdf"),
        ("Été à Đà Nẵng", "ete-a-a-nang.pdf"),
        ("日本語", "article.pdf"),
        ("../../etc/passwd", "etcpasswd.pdf"),
        ('a"; filename="b\r\nX: y', "a-filenameb-x-y.pdf"),
        ("", "article.pdf"),
    ],
)
def test_a_file_name_is_valid_on_every_system(title: str, name: str) -> None:
    assert filename(title, "pdf") == name


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_name_is_never_long(format: str) -> None:
    assert len(filename("word " * 100, format)) <= 80
