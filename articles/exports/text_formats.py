"""Exports to Markdown and to a self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from django.template import Context, Engine
from django.utils.safestring import mark_safe

from agents.text.chart import charts_as_tables
from agents.text.reference_words import reference_words
from agents.text.syntax import FOOTNOTE_DEFINITION
from articles.exports.document import Document
from articles.rendering.markdown import to_html

_TEMPLATES = Engine(dirs=[str(Path(__file__).parent / "templates")])


def markdown(document: Document) -> bytes:
    """The title as the first heading, then the text, its charts as tables, and a heading above the list of references."""
    title = " ".join(document.title.split())
    text = charts_as_tables(document.body).strip()
    start = _list_start(text)
    if start < len(text):
        heading = reference_words(document.language).heading
        text = f"{text[:start].rstrip()}\n\n## {heading}\n\n{text[start:]}"
    return f"# {title}\n\n{text}\n".encode()


def _list_start(text: str) -> int:
    """Where the definitions at the end of ``text`` begin; its length if it does not end with one."""
    start = len(text)
    for definition in reversed(list(FOOTNOTE_DEFINITION.finditer(text))):
        if text[definition.end() : start].strip():
            break
        start = definition.start()
    return start


def html(document: Document) -> bytes:
    """One file with its styles and cover. Its Content Security Policy forbids it to load anything."""
    context = {
        "document": document,
        "body": to_html(document.body, language=document.language, images=False),
        "json_ld": mark_safe(document.json_ld.replace("<", r"\u003c")),  # noqa: S308 — cannot end its element
    }
    return _TEMPLATES.get_template("article.html").render(Context(context)).encode()
