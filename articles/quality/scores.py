"""All scores of a text."""

from __future__ import annotations

from dataclasses import dataclass

from agents.text.length import length_score
from agents.text.seo import seo_problems
from articles.quality.citing import Ratio, cited, exact, markers
from articles.quality.headings import heading_problems
from articles.quality.piece import ScoredText
from articles.quality.reading_ease import ReadingEase, reading_ease
from articles.quality.repetition import Repetition, repetition


@dataclass(frozen=True)
class Quality:
    """``length`` is the length score, 0 to 100; ``seo`` None where the text is not described for search."""

    number: int | None
    title: str
    words: int
    asked: int
    length: float
    cited: Ratio
    markers: Ratio
    exact: Ratio
    repetition: Repetition
    headings: list[str]
    reading_ease: ReadingEase | None
    seo: list[str] | None

    @property
    def problems(self) -> list[str]:
        """Everything a person may want to look at, each in a sentence."""
        repeated = [
            f"In more than one section: “{phrase}” ({times} times)." for phrase, times in self.repetition.phrases
        ]
        return [*self.markers.problems, *self.exact.problems, *repeated, *self.headings, *(self.seo or ())]


def judge(piece: ScoredText) -> Quality:
    sentences = [sentence for section in piece.sections for sentence in section.sentences]
    return Quality(
        number=piece.number,
        title=piece.title,
        words=piece.words,
        asked=piece.asked,
        length=round(length_score(piece.words, piece.asked), 1),
        cited=cited(piece),
        markers=markers(piece),
        exact=exact(piece),
        repetition=repetition(["\n".join(section.sentences) for section in piece.sections]),
        headings=heading_problems(piece),
        reading_ease=reading_ease(sentences, piece.language),
        seo=[problem for found in seo_problems(piece.seo).values() for problem in found] if piece.seo else None,
    )
