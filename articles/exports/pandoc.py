"""Pandoc, held short: what it reads it reads in its sandbox, with limits on memory and time, bytes in and bytes out.

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

# What articles.rendering.markdown reads, so that a file and a page never differ in what is a list or a table.
READER = "commonmark+footnotes+pipe_tables+strikeout+autolink_bare_uris"
SECONDS = 20
LIMITS = ("+RTS", "-M512m", "-RTS")


def without_references(definition: re.Match[str]) -> str:
    """A footnote's definition without references to footnotes."""
    at = definition.start("text") - definition.start()
    return definition[0][:at] + FOOTNOTE_REFERENCE.sub("", definition[0][at:])


def read(markdown: str) -> dict[str, Any]:
    """Pandoc's syntax tree of a text: ``{"pandoc-api-version": …, "meta": {}, "blocks": […]}``."""
    # A note that mentions itself would be unfolded for ever; pandoc leaves out marks within notes in any case.
    flat = FOOTNOTE_DEFINITION.sub(without_references, markdown)
    tree: dict[str, Any] = json.loads(_run(flat.encode(), "--from", READER, "--to", "json", "--sandbox"))
    return tree


def write(tree: dict[str, Any], to: str, *options: str | Path, folder: Path) -> bytes:
    """A whole document of kind ``to``. Pictures are named as they are in ``folder``.

    The sandbox would hide the picture and the clock from the writers. They do without, as
    :func:`articles.exports.pandoc_tree.sanitized` leaves nothing in a tree that reaches for a file or an address.
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
            "The text could not be converted. Simplify its tables and footnotes, or take Markdown."
        ) from error
    return result.stdout
