"""An article as a file: Markdown, HTML, PDF, DOCX or EPUB.

:func:`export` takes plain values and gives bytes. It reads no file but the cover, and nothing from the network.
"""

from __future__ import annotations

from articles.exports.document import Document
from articles.exports.formats import FORMATS, Format, export, filename

__all__ = ["FORMATS", "Document", "Format", "export", "filename"]
