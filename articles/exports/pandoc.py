"""Runs pandoc with limits on memory and time; untrusted text is read in pandoc's sandbox.

https://pandoc.org/MANUAL.html#a-note-on-security
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pypandoc

from agents.text.syntax import FOOTNOTE_DEFINITION, FOOTNOTE_REFERENCE
from articles.exceptions import ExportFailed

logger = logging.getLogger(__name__)

# The same extensions as articles.rendering.markdown, so that files and pages agree on what is a list or a table.
READER = "commonmark+footnotes+pipe_tables+strikeout+autolink_bare_uris"
SECONDS = 20
LIMITS = ("+RTS", "-M512m", "-RTS")


def without_references(definition: re.Match[str]) -> str:
    """A footnote's definition without references to footnotes."""
    at = definition.start("text") - definition.start()
    return definition[0][:at] + FOOTNOTE_REFERENCE.sub("", definition[0][at:])


def read(markdown: str) -> dict[str, Any]:
    """Pandoc's syntax tree of a text: ``{"pandoc-api-version": …, "meta": {}, "blocks": […]}``."""
    # A footnote that refers to itself would be expanded endlessly. Pandoc drops references within footnotes anyway.
    flat = FOOTNOTE_DEFINITION.sub(without_references, markdown)
    tree: dict[str, Any] = json.loads(_run(flat.encode(), "--from", READER, "--to", "json", "--sandbox"))
    return tree


def write(tree: dict[str, Any], to: str, *options: str | Path, folder: Path) -> bytes:
    """A document in the format ``to``. Images are names of files in ``folder``.

    Runs without the sandbox, which would hide the cover and the clock. That is safe, because
    :func:`articles.exports.pandoc_tree.sanitized` leaves no reference to a file or an address to load.
    """
    arguments = ["--from", "json", "--to", to, "--standalone", "--output", "-", *map(str, options)]
    return _run(json.dumps(tree).encode(), *arguments, folder=folder)


def _run(source: bytes, *arguments: str, folder: Path | None = None) -> bytes:
    command = [pypandoc.get_pandoc_path(), *arguments, *LIMITS]
    try:
        result = subprocess.run(command, input=source, capture_output=True, timeout=SECONDS, cwd=folder, check=True)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ExportFailed(f"The export took longer than {SECONDS} seconds. Shorten or simplify the text.") from error
    except subprocess.CalledProcessError as error:
        logger.warning("pandoc ended with %d: %s", error.returncode, error.stderr.decode(errors="replace")[:500])
        raise ExportFailed(
            "The text could not be converted. Simplify its tables and footnotes, or export Markdown."
        ) from error
    return result.stdout
