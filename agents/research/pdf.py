"""Reads a PDF from stdin and writes ``{"encrypted", "pages", "title", "author"}`` to stdout as JSON.

Runs as a program of its own (``python -I pdf.py CHARACTERS``): a hostile PDF can take minutes and gigabytes, and only a
process can be stopped. It imports nothing of the studio. Unexpected errors end it with a non-zero exit code.
"""

from __future__ import annotations

import io
import json
import logging
import sys

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError

MEMORY = 1024**3


def read_pdf(body: bytes, characters: int) -> dict[str, str | bool | list[str]]:
    """The text of ``body``, page by page up to ``characters``. A damaged file may raise anything."""
    try:
        reader = PdfReader(io.BytesIO(body))
        # Many files are protected only against changes and open with an empty password.
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            return {"encrypted": True}
        pages = _pages(reader, characters)
    except DependencyError:  # an unsupported cipher
        return {"encrypted": True}
    information = reader.metadata
    return {
        "encrypted": False,
        "pages": pages,
        "title": str((information and information.title) or ""),
        "author": str((information and information.author) or ""),
    }


def _pages(reader: PdfReader, characters: int) -> list[str]:
    pages: list[str] = []
    length = 0
    for page in reader.pages:
        pages.append(page.extract_text()[: characters - length])
        length += len(pages[-1])
        if length >= characters:
            break
    return pages


def main() -> None:
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    logging.disable()
    answer = read_pdf(sys.stdin.buffer.read(), int(sys.argv[1]))
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
