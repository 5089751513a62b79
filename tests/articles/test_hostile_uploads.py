"""Damaged and hostile documents are refused with a sentence, or read as plain text; none is served, or leaves its folder."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from articles.services import NewSource, document_problems
from tests.agents.documents import made_docx, made_pdf
from tests.factories import make_article

ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">%s]>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>&z;</w:t></w:r></w:p></w:body>
</w:document>"""
LAUGHS = b"".join(b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("z") + 1))
FILE = b'<!ENTITY z SYSTEM "file:///etc/passwd">'


def docx_with(document: bytes, name: str = "word/document.xml") -> bytes:
    """A Word file whose part ``name`` is replaced."""
    body = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made_docx("# Roofs\n\nText."))) as real, zipfile.ZipFile(body, "w") as changed:
        for entry in real.namelist():
            changed.writestr(entry, document if entry == name else real.read(entry), zipfile.ZIP_DEFLATED)
    return body.getvalue()


def zip_slip() -> bytes:
    body = io.BytesIO(made_docx("# Roofs\n\nText."))
    with zipfile.ZipFile(body, "a") as archive:
        archive.writestr("../../../../tmp/escaped.txt", "escaped")
    return body.getvalue()


REFUSED: dict[str, Callable[[], bytes]] = {
    "cut.pdf": lambda: made_pdf("Roofs")[:300],
    "no.pdf": lambda: b"MZ\x90\x00 a program",
    "text.pdf": lambda: b"just text",
    "cut.docx": lambda: made_docx("Roofs")[:500],
    "no.docx": lambda: b"PK\x03\x04 no archive",
    "file.docx": lambda: docx_with(ENTITIES % FILE),
    "laughs.docx": lambda: docx_with(ENTITIES % LAUGHS),
    "binary.txt": lambda: b"\0\1\2" * 100,
    "binary.md": lambda: bytes(range(256)) * 10,
    "page.html": lambda: b"<script>alert(1)</script>",
    "image.svg": lambda: b"<svg onload='alert(1)'/>",
    "program.exe": lambda: b"MZ",
    "notes.txt.exe": lambda: b"text",
    "empty.txt": lambda: b"",
}
ACCEPTED: dict[str, Callable[[], bytes]] = {
    "notes.txt": lambda: b"<script>alert(1)</script> is text here.",
    "notes.md": lambda: b"[x](javascript:alert(1)) and ![y](file:///etc/passwd)",
    "slip.docx": zip_slip,
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_sentence(name: str) -> None:
    (problem,) = document_problems([SimpleUploadedFile(name, REFUSED[name]())])
    assert problem.startswith(f"“{name}”")
    assert "root:" not in problem
    assert "Traceback" not in problem


@pytest.mark.parametrize("name", ACCEPTED)
def test_it_is_accepted_as_what_it_is(name: str) -> None:
    assert document_problems([SimpleUploadedFile(name, ACCEPTED[name]())]) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["../../etc/cron.d/x.txt", "/etc/passwd.txt", "a\n.txt", "." * 250 + ".txt"])
def test_a_name_cannot_leave_the_folder(owner: User, page: Client, name: str) -> None:
    article = make_article(owner, sources=(NewSource(upload=SimpleUploadedFile(name, b"text")),))
    stored = article.sources.get().upload.name
    assert stored is not None
    assert "/" not in stored
    assert "\n" not in stored
    assert storages["uploads"].exists(stored)
    for address in (f"/media/{stored}", f"/media/uploads/{stored}", f"/static/{stored}"):
        assert page.get(address).status_code == 404
