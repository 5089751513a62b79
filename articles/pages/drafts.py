"""The sections of an article while it is written: what they say, and where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from django.utils.safestring import SafeString, mark_safe

from agents.contract import CheckedText, OutlineSection, SectionText
from articles.models import Step, StepStatus
from articles.pages.step_outputs import output_of, work_of
from articles.rendering.annotations import Annotation
from articles.rendering.markdown import to_annotated_html, word_count

CITATION = re.compile(r"\[(S\d+(?:, ?S\d+)*)\]")

STATES = {"plan": ("planning", "waiting"), "write": ("writing", "written"), "adjust": ("adjusting", "adjusted")} | {
    "edit": ("editing", "edited"),
    "check": ("checking", "checked"),
}
"""What a step does to a section → how the section is called while it is at it, and after."""

LABELS = {
    "waiting": "waiting",
    "planning": "being planned",
    "writing": "being written",
    "adjusting": "being adjusted to its length",
    "editing": "being edited",
    "edited": "edited",
    "checking": "checking the evidence",
    "checked": "checked",
    "failed": "failed",
    "stopped": "stopped",
}


@dataclass(frozen=True)
class DraftSection:
    """A section as it stands.

    ``state`` is a key of ``LABELS``, written or adjusted. ``step`` is the one that works or worked at it last, ``begun`` when it
    was begun: where a step is begun anew, what was seen of its text before counts no more.
    """

    number: int
    heading: str
    purpose: str
    state: str
    step: str
    begun: str
    markdown: str
    annotations: list[Annotation] = field(default_factory=list)

    @property
    def is_streaming(self) -> bool:
        """Whether its text may be coming while one looks."""
        return self.state in ("writing", "adjusting", "editing")

    @cached_property
    def words(self) -> int:
        return word_count(self.markdown)

    @cached_property
    def html(self) -> SafeString:
        return draft_html(self.markdown, self.annotations, prefix=f"d{self.number}")

    @property
    def status_text(self) -> str:
        """Where it stands, in words."""
        parts = [LABELS.get(self.state, "")]
        if self.state == "checked" and self.annotations:
            supported = sum(annotation.verdict == "supported" for annotation in self.annotations)
            parts.append(f"{supported} of {len(self.annotations)} supported")
        if self.words and not self.is_streaming and self.state != "checking":
            parts.append(f"{self.words:,} word{'' if self.words == 1 else 's'}")
        return " · ".join(part for part in parts if part)


def draft_section(
    number: int, planned: OutlineSection, steps: list[Step], annotations: list[Annotation], *, at_work: bool
) -> DraftSection:
    """``steps`` are those that work at the section, in the order in which they were first begun."""
    latest = steps[-1] if steps else None
    return DraftSection(
        number=number,
        heading=planned.heading,
        purpose=planned.purpose,
        state=section_state(latest, at_work=at_work) if latest else "waiting",
        step=latest.key if latest else "",
        begun=latest.started_at.isoformat() if latest else "",
        markdown=latest_markdown(steps),
        annotations=annotations,
    )


def latest_markdown(steps: list[Step]) -> str:
    """The section's Markdown as the latest finished step left it; empty before there is one."""
    for step in reversed(steps):
        if made := output_of(step, SectionText):  # a CheckedText, too, is a Text with more
            return made.markdown
    return ""


def latest_check(steps: list[Step]) -> CheckedText | None:
    """What the latest finished check of a section found."""
    checks = (output_of(step, CheckedText) for step in reversed(steps) if work_of(step.key) == "check")
    return next((check for check in checks if check), None)


def section_state(step: Step, *, at_work: bool) -> str:
    """Where a section stands, of the step that was begun last, in a run that a worker is at or not."""
    if step.status == StepStatus.FAILED:
        return "failed"
    if step.status == StepStatus.STARTED and not at_work:
        return "stopped"
    return STATES[work_of(step.key)][step.status == StepStatus.COMPLETED]


def draft_html(markdown: str, annotations: list[Annotation], *, prefix: str) -> SafeString:
    """Rendered like any text, with the marks of passages (``[S3]``) made small.

    What is put in holds neither a quote nor an attribute, so that it can break out of nothing, wherever a mark stands.
    """
    html, _ = to_annotated_html(markdown, annotations, prefix=prefix)
    return mark_safe(CITATION.sub(r"<sup>\1</sup>", html))  # noqa: S308 — see above
