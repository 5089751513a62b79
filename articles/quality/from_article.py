"""Builds the text to score from a stored article."""

from __future__ import annotations

from agents.contract import Outline, Passage, Reference
from articles.evidence.stored import parse_valid
from articles.models import Article
from articles.quality.scored_text import ScoredText
from articles.seo.stored import seo_of


def scored_text_of(article: Article) -> ScoredText:
    """The current text. Data that an older version stored in another form is left out."""
    research = article.research_data or {}
    outlines = parse_valid([article.outline] if article.outline else [], Outline)
    return ScoredText(
        number=article.pk,
        title=str(article),
        content=article.content,
        asked=article.min_words,
        language=article.language,
        planned=[section.heading for outline in outlines for section in outline.sections],
        seo=seo_of(article),
        passages={passage.id: passage for passage in parse_valid(research.get("passages", ()), Passage)},
        cites={str(reference.number): reference.passages for reference in parse_valid(article.references, Reference)},
    )
