"""The outline as far as it is made, from the steps of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from pydantic import ValidationError

from agents.contract import CheckedAnswer, OldOutline, OldSectionPlan, Outline, OutlineSection, Plan, SectionText
from agents.pipeline.steps import StepKey
from agents.text.cleanup import clean_heading
from agents.text.draft_sections import headings_of, opening_of, sections_of
from agents.text.markdown import count_words
from agents.text.planned_outline import planned_outline, with_checked_answer
from agents.text.planning import distribute_words
from articles.models import Step, StepStatus
from articles.pages.drafts import DraftSection
from articles.pages.findings import findings_from_steps
from articles.pages.step_outputs import CHOOSE, SECOND, StepLog, output_of

PLAN, APPROVED = StepKey("outline", "plan"), StepKey("outline", "approved")
CHECKS = StepKey("outline", "answer"), StepKey("outline", "answer", attempt=2)

FORMS = {"prose": "Text", "table": "Table", "chart": "Chart", "steps": "Steps", "list": "List"}


@dataclass(frozen=True)
class PlanStream:
    """The plan while it is being made: the key of its step, and when that started (see ``DraftSection``)."""

    step: str
    begun: str


@dataclass(frozen=True)
class PlanRow:
    """A section of the plan with the state of its draft and the questions of the readers that it answers."""

    section: OutlineSection
    draft: DraftSection
    questions: list[str]

    @property
    def form(self) -> str:
        """The form in words; empty for text."""
        return "" if self.section.form == "prose" else FORMS[self.section.form]

    @property
    def is_done(self) -> bool:
        return self.draft.words > 0 and not self.is_at_work and self.draft.state != "failed"

    @property
    def is_at_work(self) -> bool:
        return self.draft.is_at_work


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question of the readers, and the number and heading of the section that answers it."""

    question: str
    section: int
    heading: str


def answered_questions(outline: Outline) -> list[AnsweredQuestion]:
    """Those whose section exists, in the order of the sections: the number is a model's."""
    headings = {number: section.heading for number, section in enumerate(outline.sections, 1)}
    known = [each for each in outline.questions if each.section in headings]
    return [
        AnsweredQuestion(each.question, each.section, headings[each.section])
        for each in sorted(known, key=lambda each: each.section)
    ]


def outline_from_steps(log: StepLog, words: int) -> Outline | None:
    """The approved outline, else that of a chosen second draft, else the planned one with its checked answer.

    ``words`` is the length the brief asks for.
    """
    made = [step for step in log.by_key.values() if makes_outline(step.key) and step.status == StepStatus.COMPLETED]
    if any("output" in step.get_deferred_fields() for step in made):
        return completed_outline(tuple((step.pk, step.finished_at) for step in made), words)
    return outline_from_outputs(log, words)


def makes_outline(key: StepKey) -> bool:
    """Whether the outline depends on this step: a plan names findings by their numbers, a chosen draft has its own sections."""
    return key.stage == "outline" or (key.stage, key.kind) == ("research", "find") or key in (SECOND, CHOOSE)


@lru_cache(maxsize=32)
def completed_outline(steps: tuple[tuple[int, datetime | None], ...], words: int) -> Outline | None:
    """The outline that these completed steps made, which never changes: each event of a section needs it.

    ``steps`` are their ids, and when they were finished.
    """
    return outline_from_outputs(StepLog(Step.objects.filter(pk__in=[pk for pk, _ in steps]).order_by()), words)


def outline_from_outputs(log: StepLog, words: int) -> Outline | None:
    if approved := log.output(APPROVED, Outline):
        return approved
    plan = log.output(PLAN, Plan)
    if plan is None:
        return older_outline(log)
    try:
        outline = planned_outline(plan, findings_from_steps(log), words, to_approve=False)
    except ValidationError:  # a plan that the recipe refuses, too
        return None
    for key in CHECKS:
        outline = with_checked_answer(outline, log.output(key, CheckedAnswer))
    return second_outline(log, outline.answer, words) or outline


def second_outline(log: StepLog, answer: str, words: int) -> Outline | None:
    """Title and sections of the second draft; None if it is not chosen."""
    made = output_of(log.chosen_second, SectionText) if log.chosen_second else None
    if made is None:
        return None
    title, headings = opening_of(made.markdown)[0], headings_of(made.markdown)
    texts = sections_of(made.markdown, len(headings))
    shares = distribute_words([count_words(text) for text in texts], words)
    sections = [
        OutlineSection(heading=clean_heading(headings[number]), words=share) for number, share in enumerate(shares, 1)
    ]
    return Outline(title=clean_heading(title), answer=answer, sections=sections)


def older_outline(log: StepLog) -> Outline | None:
    """What older versions made, in one step or as headings with a plan for each."""
    made = log.output(StepKey("outline", "make"), OldOutline)
    if made is None:
        return None
    sections = []
    for number, section in enumerate(made.sections, 1):
        if isinstance(section, str):
            plan = log.output(StepKey("outline", "section", number), OldSectionPlan) or OldSectionPlan()
            section = OutlineSection.model_construct(heading=section, **plan.model_dump())
        sections.append(section)
    return Outline.model_construct(title=made.title, sections=sections)


def plan_stream(log: StepLog, *, at_work: bool) -> PlanStream | None:
    """The step that makes the plan, while it runs."""
    step = log.by_key.get(PLAN)
    if step is None or step.status != StepStatus.STARTED or not at_work:
        return None
    return PlanStream(str(PLAN), step.started_at.isoformat())
