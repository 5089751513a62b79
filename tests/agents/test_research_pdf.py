"""PDFs are read with their title and pages; a protected, scanned or damaged one is refused with the reason."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from agents.exceptions import SourceUnreadable
from agents.research import pdf
from agents.research.documents import read_file, read_page
from agents.research.text import tidy
from tests.agents.documents import FIRST, SECOND, fetched, made_pdf


async def test_a_pdf_is_read_with_its_title_and_whole_paragraphs(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    file.write_bytes(made_pdf(f'#set document(title: "On heat", author: "Ann Lee")\n#set page("a6")\n{FIRST} {SECOND}'))

    document = await read_file(file)

    assert (document.title, document.author) == ("On heat", "Ann Lee")
    assert document.text == f"{FIRST} {SECOND}"


@pytest.mark.parametrize("title", ["Microsoft Word - draft.doc", "untitled", "paper.tex"])
async def test_a_title_a_program_wrote_into_a_pdf_is_none(title: str) -> None:
    document = await read_page(fetched("pdf", made_pdf(f'#set document(title: "{title}")\n{FIRST}')))

    assert document.title == ""


def locked(body: bytes, *, password: str, owner_password: str | None = None) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(body)))
    writer.encrypt(password, owner_password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


async def test_a_pdf_with_a_password_says_so() -> None:
    body = locked(made_pdf(FIRST), password="secret")

    assert pdf.read_pdf(body, 100) == {"encrypted": True}
    with pytest.raises(SourceUnreadable, match="password"):
        await read_page(fetched("pdf", body))


async def test_a_pdf_that_is_only_protected_against_changes_is_read() -> None:
    body = locked(made_pdf(FIRST), password="", owner_password="secret")

    assert FIRST in (await read_page(fetched("pdf", body))).text


async def test_a_scanned_pdf_asks_for_text_recognition() -> None:
    with pytest.raises(SourceUnreadable, match="OCR"):
        await read_page(fetched("pdf", made_pdf("#rect(width: 5cm, height: 5cm)")))


@pytest.mark.parametrize("body", [b"", b"no pdf at all", b"%PDF-1.7\n" + os.urandom(2000)])
async def test_a_damaged_pdf_says_so(body: bytes) -> None:
    with pytest.raises(SourceUnreadable, match="damaged"):
        await read_page(fetched("pdf", body))


def test_a_pdf_is_read_until_there_is_enough_text() -> None:
    body = made_pdf("#lorem(100)\n#pagebreak()\n#lorem(100)\n#pagebreak()\n#lorem(100)")

    pages = pdf.read_pdf(body, 800)["pages"]
    assert isinstance(pages, list)
    assert len(pages) == 2
    assert sum(map(len, pages)) == 800


async def test_the_pages_of_a_pdf_are_known_in_its_text() -> None:
    body = made_pdf(
        f"{FIRST}\n#pagebreak()\n#pagebreak(weak: false)\n{SECOND} \ue000 End.\n#pagebreak()\n{FIRST} Again."
    )
    document = await read_page(fetched("pdf", body))
    starts = [(document.text[start:][: len("It needs")], page) for start, page in document.page_starts]
    assert starts == [("A heat p", 1), ("It needs", 3), ("A heat p", 4)]
    assert document.text == tidy(document.text)
