"""The sources panel: research questions with their findings, and the sources that were read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.contract import (
    Finding,
    Findings,
    Passage,
    QuestionFindings,
    Questions,
    Reading,
    Reference,
    Source,
    Synthesis,
)
from agents.pipeline.steps import StepKey
from agents.text.markdown import plain_text
from articles.pages.step_outputs import StepLog, parse_or_none


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
    def cited_passages(self) -> int:
        return sum(passage.is_cited for passage in self.passages)


@dataclass(frozen=True)
class ShownPassage:
    """A passage that supports a finding; ``source`` is the title of its source."""

    id: str
    source: str


@dataclass(frozen=True)
class ShownFinding:
    statement: str
    passages: list[ShownPassage]


@dataclass(frozen=True)
class Question:
    """A question and its findings. ``state`` is waiting, working, answered or stopped; ``text`` may be empty."""

    text: str
    state: str
    findings: list[ShownFinding]


@dataclass(frozen=True)
class Research:
    """The questions with their findings, and the synthesis."""

    questions: list[Question] = field(default_factory=list)
    synthesis: str = ""


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


def research_from_steps(log: StepLog, reading: Reading, *, at_work: bool) -> Research | None:
    """The research of a run; None before its questions are made."""
    asked = log.output(StepKey("research", "plan"), Questions)
    if asked is None:
        return None
    questions = []
    for number, text in enumerate(asked.questions, 1):
        key = StepKey("research", "find", number)
        step, found = log.by_key.get(key), log.output(key, QuestionFindings)
        state = "answered" if found else "working" if step else "waiting"
        if not found and not at_work:
            state = "stopped"
        questions.append(Question(text, state, shown_findings(found.findings if found else [], reading)))
    synthesis = log.output(StepKey("research", "synthesis"), Synthesis)
    return Research(questions, synthesis.synthesis if synthesis else "")


def research_from_article(kept: dict[str, Any], reading: Reading) -> Research:
    """The research stored with an article, which does not say which finding answers which question."""
    found = parse_or_none(kept, Findings) or Findings()
    asked = [Question(str(text), "answered", []) for text in kept.get("questions") or []]
    together = [Question("", "answered", shown_findings(found.findings, reading))] if found.findings else []
    return Research([*asked, *together], found.synthesis)


def shown_findings(findings: Sequence[Finding], reading: Reading) -> list[ShownFinding]:
    titles = {source.number: source.title for source in reading.sources}
    known = {passage.id: ShownPassage(passage.id, titles.get(passage.source, "")) for passage in reading.passages}
    return [
        ShownFinding(finding.statement, [known[id] for id in dict.fromkeys(finding.sources) if id in known])
        for finding in findings
    ]
