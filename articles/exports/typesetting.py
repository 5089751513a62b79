"""Compiles Typst source to PDF in a child process, because deeply nested text can crash the compiler."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

from articles.exceptions import ExportFailed
from articles.exports.document import Document

SECONDS = 30
COMPILER = Path(__file__).with_name("typst_child.py")
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "IDEOGRAPHIC", "FULLWIDTH")


def compile_pdf(source: str, document: Document, folder: Path) -> bytes:
    """Compiles in ``folder``. ``source`` reads the metadata from ``sys.inputs``, so that none of it is run as code."""
    request = json.dumps(_inputs(document, folder) | {"source": source})
    command = [sys.executable, "-I", str(COMPILER)]
    try:
        result = subprocess.run(  # noqa: S603
            command, input=request.encode(), capture_output=True, timeout=SECONDS, cwd=folder, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ExportFailed(f"The PDF took longer than {SECONDS} seconds. Shorten or simplify the text.") from error
    if result.returncode:
        raise _failure(result.returncode, result.stderr.decode(errors="replace"))
    return (folder / "article.pdf").read_bytes()


def _inputs(document: Document, folder: Path) -> dict[str, str]:
    """The inputs of the template. Writes the cover into ``folder``."""
    language, _, region = document.language.partition("-")
    return {
        "title": document.title,
        "author": document.author,
        "date": document.day,
        "description": document.description,
        "keywords": json.dumps(document.keywords),
        "language": language.lower() if 2 <= len(language) <= 3 else "en",
        "region": region.lower() if len(region) == 2 else "",
        "cover": document.write_cover(folder),
        "cover_alt": document.cover_alt or document.title,
    }


def _failure(returncode: int, reply: str) -> ExportFailed:
    """A message for the user. A child that was killed or crashed has no reply."""
    try:
        problem: dict[str, Any] = json.loads(reply)
    except ValueError:
        return ExportFailed(f"The PDF could not be created: its compiler stopped ({returncode}). Simplify the text.")
    if letters := problem.get("missing"):
        package = "fonts-noto-cjk" if _is_east_asian(letters) else "fonts-noto-core"
        return ExportFailed(
            f"No font on the server can show “{letters[:20]}”. Export DOCX or EPUB, or ask your administrator to install a"
            f" font (on Debian and Ubuntu: apt install {package})."
        )
    return ExportFailed(f"The PDF could not be created: {problem.get('reason', '')[:200]}")


def _is_east_asian(letters: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(EAST_ASIAN) for letter in letters)
