"""The sources panel: research questions, findings, and the sources that were read or not used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.contract import (
    Findings,
    Outline,
    Passage,
    Questions,
    Reading,
    Reference,
    Source,
    StoredModel,
    UnusedSource,
)
from agents.pipeline.steps import StepKey
from agents.text.markdown import plain_text
from agents.text.passage_heads import KINDS
from articles.evidence.stored import parse_or_none
from articles.pages.findings import ShownFinding, findings_from_steps, shown_findings
from articles.pages.step_outputs import StepLog

OLD_SYNTHESIS = StepKey("research", "synthesis")


@dataclass(frozen=True)
class ReadPassage:
    passage: Passage
    is_cited: bool


@dataclass(frozen=True)
class ReadSource:
    """A source with its passages and the numbers of the references to it."""

    source: Source
    passages: list[ReadPassage] = field(default_factory=list)
    cited_as: list[int] = field(default_factory=list)

    @property
    def excerpt(self) -> str:
        """The start of the text without Markdown, up to a whole word."""
        text = " ".join(plain_text(self.source.excerpt).split())
        if self.source.words <= len(text.split()) or text.endswith(("…", "...")):
            return text
        return f"{text.rpartition(' ')[0].rstrip(' ,;:–-') or text}…"

    @property
    def kind(self) -> str:
        return KINDS.get(self.source.kind, self.source.kind)

    @property
    def cited_passages(self) -> int:
        return sum(passage.is_cited for passage in self.passages)


class OldSynthesis(StoredModel):
    """``research:synthesis`` of older versions."""

    synthesis: str


class UnusedSources(StoredModel):
    """A part of an article's ``research_data``, empty in those of older versions."""

    unused_sources: list[UnusedSource] = []


@dataclass(frozen=True)
class Research:
    """The questions, the findings and the answer in short."""

    questions: list[str] = field(default_factory=list)
    findings: list[ShownFinding] = field(default_factory=list)
    synthesis: str = ""

    @property
    def used(self) -> list[ShownFinding]:
        return [finding for finding in self.findings if not finding.dismissed]

    @property
    def dismissed(self) -> list[ShownFinding]:
        return [finding for finding in self.findings if finding.dismissed]


def read_sources(reading: Reading, references: Sequence[Reference], also_cited: set[str]) -> list[ReadSource]:
    """``also_cited`` are ids of cited passages that no reference lists."""
    cited_ids = also_cited | {id for reference in references for id in reference.passages}
    passages: dict[int, list[ReadPassage]] = defaultdict(list)
    for passage in reading.passages:
        passages[passage.source].append(ReadPassage(passage, passage.id in cited_ids))
    numbers: dict[int, list[int]] = defaultdict(list)
    for reference in references:
        numbers[reference.source].append(reference.number)
    return [ReadSource(source, passages[source.number], numbers[source.number]) for source in reading.sources]


def research_from_steps(log: StepLog, reading: Reading, outline: Outline | None, *, year: int) -> Research:
    """The research of a run. Its answer is that of the outline; older versions had one of the findings."""
    asked = log.output(StepKey("research", "plan"), Questions)
    older = log.output(OLD_SYNTHESIS, OldSynthesis)
    return Research(
        questions=asked.questions if asked else [],
        findings=shown_findings(findings_from_steps(log), reading, outline, year=year),
        synthesis=outline.answer if outline and outline.answer else older.synthesis if older else "",
    )


def research_from_article(kept: dict[str, Any], reading: Reading, outline: Outline | None, *, year: int) -> Research:
    """The research stored with an article."""
    found = parse_or_none(kept, Findings) or Findings()
    return Research(
        questions=[str(text) for text in kept.get("questions") or []],
        findings=shown_findings(found.findings, reading, outline, year=year),
        synthesis=found.synthesis,
    )
