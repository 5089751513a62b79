"""The findings of a run as cards: what the sources say, from which of them, and where the article uses it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from agents.contract import Finding, Outline, QuestionFindings, Reading
from agents.pipeline.steps import StepKey
from articles.models import StepStatus
from articles.pages.step_outputs import StepLog
from articles.runs.findings import numbered_findings

KINDS = {
    "figure": "Figure",
    "claim": "Claim",
    "condition": "Condition",
    "disagreement": "Sources disagree",
    "open": "Open question",
}
ICONS = {"disagreement": "warning", "open": "info"}
OLD_YEARS = 3
"""A figure of so many years ago is marked with its age."""

YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(frozen=True)
class ShownPassage:
    """A passage that supports a finding; ``source`` is the title of its source."""

    id: str
    source: str


@dataclass(frozen=True)
class ShownFinding:
    """A finding. ``section`` is the number of the section that owns it, 0 if none; ``dismissed`` why it is left out.

    ``age`` is the years since ``date``, 0 unless it is a figure that is old.
    """

    finding: Finding
    passages: list[ShownPassage]
    section: int = 0
    dismissed: str = ""
    age: int = 0

    @property
    def label(self) -> str:
        return KINDS[self.finding.kind]

    @property
    def icon(self) -> str:
        return ICONS.get(self.finding.kind, "")

    @property
    def sources(self) -> list[tuple[str, list[str]]]:
        """The titles of its sources, each with the ids of its passages."""
        by_title: dict[str, list[str]] = {}
        for passage in self.passages:
            by_title.setdefault(passage.source, []).append(passage.id)
        return list(by_title.items())


@dataclass(frozen=True)
class FindingGroup:
    """The findings of a group of sources, and the state of the step: working, done, failed or stopped.

    ``begun`` is when the step started: see ``DraftSection``.
    """

    number: int
    step: str
    begun: str
    state: str
    message: str
    findings: list[ShownFinding]

    @property
    def is_streaming(self) -> bool:
        return self.state == "working"


@dataclass(frozen=True)
class FoundSoFar:
    groups: list[FindingGroup] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(group.findings) for group in self.groups)

    @property
    def source_count(self) -> int:
        findings = chain.from_iterable(group.findings for group in self.groups)
        return len({title for finding in findings for title, _ in finding.sources})

    @property
    def is_streaming(self) -> bool:
        return any(group.is_streaming for group in self.groups)


def findings_from_steps(log: StepLog) -> list[Finding]:
    """The findings of the groups that are done. Their numbers are final once all groups are."""
    return numbered_findings(output for output in map(log.find_output, log.find_steps) if output)


def groups_from_steps(
    log: StepLog, reading: Reading, outline: Outline | None, *, year: int, at_work: bool
) -> list[FindingGroup]:
    """The groups that were begun, with their findings."""
    groups, before = [], 0
    for step in log.find_steps:
        found = log.find_output(step) or QuestionFindings()
        numbered = [
            finding.model_copy(update={"number": before + place}) for place, finding in enumerate(found.findings, 1)
        ]
        before += len(numbered)
        state = {StepStatus.COMPLETED: "done", StepStatus.FAILED: "failed"}.get(StepStatus(step.status), "")
        groups.append(
            FindingGroup(
                number=step.section,
                step=str(StepKey("research", "find", step.section)),
                begun=step.started_at.isoformat(),
                state=state or ("working" if at_work else "stopped"),
                message=step.message,
                findings=shown_findings(numbered, reading, outline, year=year),
            )
        )
    return groups


def shown_findings(
    findings: Sequence[Finding], reading: Reading, outline: Outline | None = None, *, year: int
) -> list[ShownFinding]:
    """``year`` is that of the run, which the age of figures is counted to."""
    titles = {source.number: source.title for source in reading.sources}
    known = {passage.id: ShownPassage(passage.id, titles.get(passage.source, "")) for passage in reading.passages}
    owners: Mapping[int, int] = (
        {number: at for at, section in enumerate(outline.sections, 1) for number in section.findings} if outline else {}
    )
    reasons = {each.finding: each.reason for each in outline.dismissed} if outline else {}
    return [
        ShownFinding(
            finding=finding,
            passages=[known[id] for id in dict.fromkeys(finding.sources) if id in known],
            section=owners.get(finding.number, 0),
            dismissed=reasons.get(finding.number, ""),
            age=age_of(finding, year),
        )
        for finding in findings
    ]


def age_of(finding: Finding, year: int) -> int:
    """How many years ago a figure was, by the latest year of its date; 0 if that is less than OLD_YEARS, or unknown."""
    years = [int(found) for found in YEAR.findall(finding.date)] if finding.kind == "figure" else []
    age = year - max(years, default=year)
    return age if age >= OLD_YEARS else 0
