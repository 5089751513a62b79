"""Exports an article as Markdown, HTML, PDF, DOCX or EPUB.

:func:`export` turns a :class:`Document` into bytes. It reads no file of the article, and nothing from the network.
"""

from __future__ import annotations

from articles.exports.document import Document
from articles.exports.formats import FORMATS, Format, export, filename

__all__ = ["FORMATS", "Document", "Format", "export", "filename"]
