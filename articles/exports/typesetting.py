"""Typst source → PDF, in a child process: a text that nests a thousand brackets can crash the compiler, but not the studio."""

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
    """The PDF, made in ``folder``. What ``source`` is to say of the document it reads from ``sys.inputs``: none of it is code."""
    order = json.dumps(_inputs(document, folder) | {"source": source})
    command = [sys.executable, "-I", str(COMPILER)]
    try:
        result = subprocess.run(  # noqa: S603
            command, input=order.encode(), capture_output=True, timeout=SECONDS, cwd=folder, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ExportFailed(f"Setting the PDF took longer than {SECONDS} seconds. Simplify the text.") from error
    if result.returncode:
        raise _failure(result.returncode, result.stderr.decode(errors="replace"))
    return (folder / "article.pdf").read_bytes()


def _inputs(document: Document, folder: Path) -> dict[str, str]:
    """What the template is told; the cover is put beside it."""
    language, _, region = document.language.partition("-")
    return {
        "title": document.title,
        "author": document.author,
        "date": document.day,
        "description": document.description,
        "keywords": json.dumps(document.keywords),
        "language": language.lower() if 2 <= len(language) <= 3 else "en",
        "region": region.lower() if len(region) == 2 else "",
        "cover": document.put_cover(folder),
        "cover_alt": document.cover_alt or document.title,
    }


def _failure(returncode: int, reply: str) -> ExportFailed:
    """What the child said, in words for the reader. A child that was killed or crashed says nothing."""
    try:
        problem: dict[str, Any] = json.loads(reply)
    except ValueError:
        return ExportFailed(f"The PDF could not be set: its compiler stopped ({returncode}). Simplify the text.")
    if letters := problem.get("missing"):
        package = "fonts-noto-cjk" if _is_east_asian(letters) else "fonts-noto-core"
        return ExportFailed(
            f"No font on this machine can show “{letters[:20]}”, so the PDF would have gaps. Install one (on Debian and"
            f" Ubuntu: apt install {package}) and export again, or take DOCX or EPUB."
        )
    return ExportFailed(f"The PDF could not be set: {problem.get('reason', '')[:200]}")


def _is_east_asian(letters: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(EAST_ASIAN) for letter in letters)
