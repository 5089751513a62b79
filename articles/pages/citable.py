"""What the editor offers to cite: the sources of the text's research, with their passages and footnotes."""

from __future__ import annotations

from typing import Any

from agents.text.passage_links import passage_link
from agents.text.reference_entries import reference_entry
from articles.evidence.results import footnote_labels
from articles.evidence.stored import stored_reading, stored_references
from articles.models import Article

MAX_PASSAGE = 700  # characters of a passage; what is longer leads to its source


def citable_sources(article: Article) -> list[dict[str, Any]]:
    """Each source with its passages. ``label`` is that of its footnote in the saved text, or empty; ``entry`` defines one."""
    reading = stored_reading(article)
    labels = footnote_labels(article.content, stored_references(article))
    return [
        {
            "number": source.number,
            "label": labels.get(source.number, ""),
            "title": source.title,
            "publisher": source.publisher,
            "date": source.date,
            "url": source.url,
            "entry": reference_entry(source, [], article.language),
            "passages": [
                {
                    "id": passage.id,
                    "text": passage.text[:MAX_PASSAGE],
                    "page": passage.page or None,
                    "link": passage_link(source.url, passage),
                }
                for passage in reading.passages
                if passage.source == source.number
            ],
        }
        for source in reading.sources
    ]
