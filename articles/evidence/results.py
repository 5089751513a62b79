"""What is known of an article's evidence: which sentence cites which passages, and whether they say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from agents.contract import Passage, Reading, Reference, Source
from articles.models import Article, Evidence, Run, Status
from articles.rendering.annotations import Annotation, Verdict

LONGEST_QUOTE = 400  # characters of a passage that a reference shows while it is pointed at


@dataclass(frozen=True)
class CitedPassage:
    """A passage a sentence rests on; ``reference`` is the number its source has in the article, None before it has one."""

    passage: Passage
    source: Source | None
    reference: int | None


@dataclass(frozen=True)
class CheckedSentence:
    """A row of evidence with its passages. ``ref`` is its section and its place in it, such as ``2-1``."""

    ref: str
    row: Evidence
    cited: list[CitedPassage]

    @property
    def verdict(self) -> Verdict:
        return cast("Verdict", self.row.verdict)  # the store holds it to these

    @cached_property
    def annotation(self) -> Annotation:
        quotes = {str(cited.reference): quoted(cited.passage.text) for cited in self.cited if cited.reference}
        return Annotation(self.ref, self.row.sentence, self.verdict, quotes)


@dataclass(frozen=True)
class EvidenceSummary:
    """How many sentences cite, and how many of them are supported, in part, or not."""

    sentences: int
    supported: int
    partly: int
    unsupported: int
    reworded: int

    @classmethod
    def of(cls, rows: Collection[Evidence]) -> EvidenceSummary:
        verdicts = Counter(row.verdict for row in rows)
        return cls(
            sentences=len(rows),
            supported=verdicts[Evidence.Verdict.SUPPORTED],
            partly=verdicts[Evidence.Verdict.PARTLY],
            unsupported=verdicts[Evidence.Verdict.NOT],
            reworded=sum(bool(row.was) for row in rows),
        )


def run_of_the_text(article: Article) -> Run | None:
    """The run that wrote the text the article has: not the latest where that one failed or was cancelled."""
    return article.runs.filter(status=Status.COMPLETED).order_by("-id").first()


def evidence_summary(article: Article) -> EvidenceSummary:
    """Of the text the article has."""
    run = run_of_the_text(article)
    return EvidenceSummary.of(run.evidence.all() if run else [])


def checked_sentences(
    rows: Iterable[Evidence], reading: Reading, references: Iterable[Reference] = ()
) -> list[CheckedSentence]:
    """Each row with the passages it cites, as far as ``reading`` holds them."""
    passages = {passage.id: passage for passage in reading.passages}
    sources = {source.number: source for source in reading.sources}
    numbers = {reference.source: reference.number for reference in references}
    places: Counter[int] = Counter()
    found = []
    for row in rows:
        places[row.section] += 1
        cited = [passages[id] for id in row.passages if id in passages]
        found.append(
            CheckedSentence(
                ref=f"{row.section}-{places[row.section]}",
                row=row,
                cited=[
                    CitedPassage(passage, sources.get(passage.source), numbers.get(passage.source)) for passage in cited
                ],
            )
        )
    return found


def quoted(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= LONGEST_QUOTE else f"“{line[:LONGEST_QUOTE].rstrip()}…”"
