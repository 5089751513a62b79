"""The sections of an article while it is being written: their text and their state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from django.utils.safestring import SafeString, mark_safe

from agents.contract import CheckedText, Lead, Outline, OutlineSection, SectionText
from agents.text.cleanup import clean_heading
from agents.text.draft_sections import headings_of, opening_of, sections_of
from agents.text.headings import HEADING, TITLE
from agents.text.markdown import count_words
from agents.text.syntax import CITATION_MARK
from articles.models import Step, StepStatus
from articles.pages.step_outputs import StepLog, output_of, work_of
from articles.rendering.annotations import Annotation, Verdict
from articles.rendering.markdown import to_annotated_html

STATES = {
    "plan": ("planning", "waiting"),
    "draft": ("drafting", "written"),
    "write": ("writing", "written"),
    "adjust": ("adjusting", "adjusted"),
    "edit": ("editing", "edited"),
    "check": ("checking", "checked"),
}
"""What a step does to a section → the section's state while the step runs, and after it."""

LABELS = {
    "waiting": "waiting",
    "planning": "planning",
    "drafting": "writing",
    "writing": "writing",
    "adjusting": "adjusting length",
    "editing": "editing",
    "edited": "edited",
    "checking": "checking evidence",
    "checked": "checked",
    "failed": "failed",
    "stopped": "stopped",
}


AT_WORK = ("planning", "writing", "adjusting", "editing", "checking")
"""The states in which a step works at this section. In a draft of several sections only the page knows which one is growing."""


@dataclass(frozen=True)
class DraftSection:
    """A section, or the introduction as number 0 with the title as heading, and its state: a key of ``LABELS``, "written" or
    "adjusted".

    ``step`` is the key of the section's latest step, ``begun`` when that started. A page drops the text it has streamed for a
    step when ``begun`` changes: the step was restarted.
    """

    number: int
    heading: str
    purpose: str
    state: str
    step: str
    begun: str
    markdown: str
    annotations: list[Annotation] = field(default_factory=list)
    keeps_heading: bool = False
    """Whether a person approved its heading, so that a draft does not change it."""

    @property
    def is_streaming(self) -> bool:
        """Whether new text may be streaming in."""
        return self.state in ("drafting", "writing", "adjusting", "editing")

    @property
    def part(self) -> str:
        """Its number in the draft that streams in, if that has several sections; else empty."""
        return str(self.number) if self.state == "drafting" else ""

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    @cached_property
    def words(self) -> int:
        return count_words(self.markdown)

    @cached_property
    def html(self) -> SafeString:
        return draft_html(self.markdown, self.annotations, prefix=f"d{self.number}")

    @property
    def status_text(self) -> str:
        """The state in words, with the section's length or evidence."""
        parts = [LABELS.get(self.state, "")]
        if self.state == "checked" and self.annotations:
            supported = sum(annotation.verdict == "supported" for annotation in self.annotations)
            parts.append(f"{supported} of {len(self.annotations)} supported")
        if self.words and not self.is_streaming and self.state != "checking":
            parts.append(f"{self.words:,} word{'' if self.words == 1 else 's'}")
        return " · ".join(part for part in parts if part)


def draft_section(
    number: int, planned: OutlineSection, log: StepLog, annotations: list[Annotation], *, at_work: bool, approved: bool
) -> DraftSection:
    """The section as its latest step leaves it; before it has steps of its own, as the draft it is part of does.

    ``approved``: a person approved its heading, which the draft does not change.
    """
    steps = log.by_section.get(number, [])
    draft = log.draft_of(number)
    text = latest_markdown(steps) or (text_in_draft(draft, number) if draft else "")
    latest = steps[-1] if steps else draft
    if latest is draft and draft and draft.status == StepStatus.COMPLETED and not text:
        latest = None  # the draft misses it: it will be written by itself
    return DraftSection(
        number=number,
        heading=planned.heading if approved else heading_in_draft(draft, number) or planned.heading,
        purpose=planned.purpose,
        state=section_state(latest, at_work=at_work) if latest else "waiting",
        step=str(latest.key) if latest else "",
        begun=latest.started_at.isoformat() if latest else "",
        markdown=text,
        annotations=annotations,
        keeps_heading=approved,
    )


def draft_introduction(
    planned: Outline, log: StepLog, annotations: list[Annotation], *, at_work: bool, approved: bool
) -> DraftSection | None:
    """The introduction of the draft, or the lead that was written for it. None if there is neither so far."""
    steps, draft = log.by_section.get(0, []), log.draft_of(1)
    made = output_of(draft, SectionText) if draft else None
    title, opening = opening_of(made.markdown) if made else ("", "")
    text = latest_markdown(steps) or opening
    is_growing = draft is not None and draft.status == StepStatus.STARTED and at_work
    if not (text or is_growing):
        return None
    latest = steps[-1] if steps else draft
    assert latest is not None
    title = clean_heading(title)
    return DraftSection(
        number=0,
        heading=title if not approved and TITLE.low <= len(title) <= TITLE.high else planned.title,
        purpose="",
        state=section_state(latest, at_work=at_work),
        step=str(latest.key),
        begun=latest.started_at.isoformat(),
        markdown=text,
        annotations=annotations,
        keeps_heading=approved,
    )


def heading_in_draft(draft: Step | None, number: int) -> str:
    """What the finished draft calls section ``number``; empty if that is no heading."""
    made = output_of(draft, SectionText) if draft else None
    heading = clean_heading(headings_of(made.markdown).get(number, "")) if made else ""
    return heading if HEADING.low <= len(heading) <= HEADING.high else ""


def text_in_draft(draft: Step, number: int) -> str:
    """What the finished draft has of section ``number``, from 1."""
    made = output_of(draft, SectionText)
    return sections_of(made.markdown, number)[number - 1] if made else ""


def latest_markdown(steps: list[Step]) -> str:
    """The section's Markdown after its latest finished step; empty before there is one."""
    for step in reversed(steps):
        if made := output_of(step, SectionText):  # also parses a CheckedText, which is a Text with more fields
            return made.markdown
        if lead := output_of(step, Lead):
            return lead.lead
    return ""


def latest_check(steps: list[Step]) -> CheckedText | None:
    """The result of the section's latest finished check."""
    checks = (output_of(step, CheckedText) for step in reversed(steps) if work_of(step.key) == "check")
    return next((check for check in checks if check), None)


def check_counts(steps: list[Step]) -> dict[str, int]:
    """The counts of the section's latest finished check; empty before there is one."""
    checks = (step for step in reversed(steps) if work_of(step.key) == "check" and step.status == StepStatus.COMPLETED)
    return next((step.counts for step in checks), {})


def section_state(step: Step, *, at_work: bool) -> str:
    """The state of a section whose latest step is ``step``. ``at_work``: a worker is executing the run."""
    if step.status == StepStatus.FAILED:
        return "failed"
    if step.status == StepStatus.STARTED and not at_work:
        return "stopped"
    return STATES[work_of(step.key)][step.status == StepStatus.COMPLETED]


def draft_html(markdown: str, annotations: Iterable[Annotation], *, prefix: str) -> SafeString:
    """Rendered like any text, with passage marks (``[S3]``) as superscripts.

    The inserted tags have no quotes and no attributes, so a mark inside an attribute cannot end it.
    """
    # Without the quotes of passages: a draft has no footnotes to show them.
    return kept_draft_html(markdown, tuple((each.ref, each.sentence, each.verdict) for each in annotations), prefix)


@lru_cache(maxsize=256)
def kept_draft_html(markdown: str, sentences: tuple[tuple[str, str, Verdict], ...], prefix: str) -> SafeString:
    """Kept: a section is sent again when its next step starts, and when the article is finished."""
    annotations = [Annotation(*sentence) for sentence in sentences]
    return with_passage_marks(to_annotated_html(markdown, annotations, prefix=prefix).html)


def with_passage_marks(html: str) -> SafeString:
    return mark_safe(CITATION_MARK.sub(r"<sup>\g<ids></sup>", html))  # noqa: S308 — see above


def evidence_heading(number: int, section: DraftSection | None) -> str:
    if not number:
        return "Title and introduction"
    return section.heading if section else f"Section {number}"
