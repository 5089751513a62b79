"""Results of the evidence check: each cited sentence with its verdict and the passages it cites."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import cast
from urllib.parse import unquote

from agents.contract import Passage, Reading, Reference, Source
from agents.text.escaping import escape_markdown
from agents.text.passage_links import passage_link
from agents.text.syntax import FOOTNOTE_DEFINITION
from articles.models import Article, Evidence, Run, Status
from articles.rendering.annotations import Annotation, Verdict

MAX_QUOTE = 400  # characters of a passage in the tooltip of a reference


@dataclass(frozen=True)
class CitedPassage:
    """A passage that a sentence cites. ``label`` is that of its source's footnote in the text, or empty; ``reference`` the
    number the text shows for it."""

    passage: Passage
    source: Source | None
    label: str
    reference: int | None = None

    @property
    def link(self) -> str:
        """The address of the passage within its source; empty for a source without one."""
        return passage_link(self.source.url, self.passage) if self.source else ""


@dataclass(frozen=True)
class CheckedSentence:
    """An evidence row with its passages. ``ref`` is its section and its position there, such as ``2-1``."""

    ref: str
    row: Evidence
    cited: list[CitedPassage]

    @property
    def verdict(self) -> Verdict:
        return cast("Verdict", self.row.verdict)  # a check constraint allows no other

    @cached_property
    def annotation(self) -> Annotation:
        quotes = {cited.label: quote(cited.passage.text) for cited in self.cited if cited.label}
        return Annotation(self.ref, self.row.sentence, self.verdict, quotes)

    def numbered(self, numbers: Mapping[str, int]) -> CheckedSentence:
        """With the reference numbers that the text shows, by label."""
        return replace(self, cited=[replace(cited, reference=numbers.get(cited.label)) for cited in self.cited])


@dataclass(frozen=True)
class EvidenceSummary:
    """How many sentences were judged or cite a source, and how many of them have which verdict.

    ``edited`` were changed since, ``unchecked`` are new; ``uncited`` are new statements of fact without a source, beside the
    others.
    """

    sentences: int
    supported: int
    partly: int
    unsupported: int
    reworded: int
    edited: int = 0
    unchecked: int = 0
    uncited: int = 0

    @classmethod
    def of_counts(cls, counts: Collection[Mapping[str, int]]) -> EvidenceSummary:
        """Of the counts stored with the checks of a draft. Older checks do not count reworded sentences."""
        return cls(**{field.name: sum(each.get(field.name, 0) for each in counts) for field in fields(cls)})


def run_of_the_text(article: Article) -> Run | None:
    """The run that wrote the article's text. A later run that failed or was cancelled did not."""
    return article.runs.filter(status=Status.COMPLETED).order_by("-id").first()


def checked_sentences(
    rows: Iterable[Evidence], reading: Reading, labels: Mapping[int, str] | None = None
) -> list[CheckedSentence]:
    """The rows with those of their passages that ``reading`` has. ``labels`` are the result of ``footnote_labels``."""
    labels = labels or {}
    passages = {passage.id: passage for passage in reading.passages}
    sources = {source.number: source for source in reading.sources}
    positions: Counter[int] = Counter()
    found = []
    for row in rows:
        positions[row.section] += 1
        cited = [
            CitedPassage(passage, sources.get(passage.source), labels.get(passage.source, ""))
            for passage in (passages[id] for id in row.passages if id in passages)
        ]
        found.append(CheckedSentence(f"{row.section}-{positions[row.section]}", row, cited))
    return found


def footnote_labels(markdown: str, references: Sequence[Reference]) -> dict[int, str]:
    """Number of a source → label of its footnote in ``markdown``, which may have been edited.

    A footnote belongs to the source whose address or title its definition contains; if it contains none, to the one whose
    reference had this number when the text was written.
    """
    labels: dict[int, str] = {}
    original = {str(reference.number): reference for reference in references}
    for definition in FOOTNOTE_DEFINITION.finditer(markdown):
        label, text = definition["label"], definition["text"]
        named = [reference for reference in references if _names(text, reference)]
        reference = original.get(label)
        if named and reference not in named:
            reference = named[0]
        if reference is not None:
            labels[reference.source] = label
    return labels


def _names(definition: str, reference: Reference) -> bool:
    if reference.url:
        return unquote(reference.url) in unquote(definition)
    return bool(reference.title) and escape_markdown(reference.title) in definition


def renumbered(
    references: Iterable[Reference], labels: Mapping[int, str], numbers: Mapping[str, int]
) -> list[Reference]:
    """The references that the text still cites, in its order. ``numbers`` are those it shows, by label."""
    cited = [
        reference.model_copy(update={"number": numbers[labels[reference.source]]})
        for reference in references
        if labels.get(reference.source) in numbers
    ]
    return sorted(cited, key=lambda reference: reference.number)


def quote(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= MAX_QUOTE else f"“{line[:MAX_QUOTE].rstrip()}…”"
