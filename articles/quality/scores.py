"""All scores of a text, put together."""

from __future__ import annotations

from dataclasses import dataclass

from agents.text.length import length_score
from agents.text.seo import seo_problems
from articles.quality.citations import Ratio, citation_ratio, exactness, footnote_ratio
from articles.quality.headings import heading_problems
from articles.quality.reading_ease import ReadingEase, reading_ease
from articles.quality.repetition import Repetition, repetition
from articles.quality.scored_text import ScoredText


@dataclass(frozen=True)
class Quality:
    """``length`` is the length score, 0 to 100; ``seo`` is None if the text has no search description."""

    number: int | None
    title: str
    words: int
    asked: int
    length: float
    cited: Ratio
    footnotes: Ratio
    exact: Ratio
    repetition: Repetition
    headings: list[str]
    reading_ease: ReadingEase | None
    seo: list[str] | None

    @property
    def problems(self) -> list[str]:
        """Everything to look at, one sentence each."""
        repeated = [
            f"In more than one section: “{phrase}” ({times} times)." for phrase, times in self.repetition.phrases
        ]
        return [*self.footnotes.problems, *self.exact.problems, *repeated, *self.headings, *(self.seo or ())]


def score_text(text: ScoredText) -> Quality:
    sentences = [sentence for section in text.sections for sentence in section.sentences]
    return Quality(
        number=text.number,
        title=text.title,
        words=text.words,
        asked=text.asked,
        length=round(length_score(text.words, text.asked), 1),
        cited=citation_ratio(text),
        footnotes=footnote_ratio(text),
        exact=exactness(text),
        repetition=repetition(["\n".join(section.sentences) for section in text.sections]),
        headings=heading_problems(text),
        reading_ease=reading_ease(sentences, text.language),
        seo=[problem for found in seo_problems(text.seo).values() for problem in found] if text.seo else None,
    )
