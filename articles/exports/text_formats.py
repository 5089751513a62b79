"""Exports to Markdown and to a self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from django.template import Context, Engine
from django.utils.safestring import mark_safe

from agents.text.chart import charts_as_tables
from articles.exports.document import Document
from articles.rendering.markdown import to_html

_TEMPLATES = Engine(dirs=[str(Path(__file__).parent / "templates")])


def markdown(document: Document) -> bytes:
    """The title as the first heading, then the text, unchanged but for its charts, which become tables."""
    title = " ".join(document.title.split())
    return f"# {title}\n\n{charts_as_tables(document.body).strip()}\n".encode()


def html(document: Document) -> bytes:
    """One file with its styles and cover. Its Content Security Policy forbids it to load anything."""
    context = {
        "document": document,
        "body": to_html(document.body, images=False),
        "json_ld": mark_safe(document.json_ld.replace("<", r"\u003c")),  # noqa: S308 — cannot end its element
    }
    return _TEMPLATES.get_template("article.html").render(Context(context)).encode()
