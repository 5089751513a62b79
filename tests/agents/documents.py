"""Documents that research reads: web pages, PDFs and Word files."""

from __future__ import annotations

import subprocess

import pypandoc
import typst

from agents.research.fetch import Fetched
from agents.research.media_types import MEDIA_TYPES, Kind

MEDIA_TYPE = {kind: media_type for media_type, kind in MEDIA_TYPES.items()}
FIRST = "A heat pump moves heat from a cold place to a warm one, as a refrigerator does."
SECOND = "It needs about one unit of electricity for three or four units of heat, depending on the weather."


def made_pdf(source: str) -> bytes:
    pdf: bytes = typst.compile(source.encode())
    return pdf


def made_docx(markdown: str) -> bytes:
    pandoc = [pypandoc.get_pandoc_path(), "--from=markdown", "--to=docx", "--output=-"]
    return subprocess.run(pandoc, input=markdown.encode(), capture_output=True, check=True).stdout


def fetched(kind: Kind, body: bytes, charset: str = "") -> Fetched:
    return Fetched("https://example.org/page", MEDIA_TYPE[kind], body, charset)
