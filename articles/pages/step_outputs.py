"""Reads the outputs of a run's steps. Outputs an older version stored in another shape are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TypeVar

from pydantic import BaseModel

from agents.contract import QuestionFindings, Reading
from agents.pipeline.steps import StepKey
from articles.evidence.stored import parse_or_none
from articles.models import Run, Step, StepStatus

Output = TypeVar("Output", bound=BaseModel)

SECOND, CHOOSE = StepKey("write", "second"), StepKey("edit", "choose")
FOR_SEVERAL = ("draft", "second", "choose", "proofread", "review", "use", "missing", "verdicts", "revise")
"""Kinds of steps whose key names a group, or the first of several sections."""
StepFilter = Callable[[StepKey], bool]


SHOWN = ("run", "stage", "kind", "section", "attempt", "status", "message", "counts", "started_at", "finished_at")
"""What the page shows of every step: neither its output nor its cost."""


class StepLog:
    """A run's steps by key and by section, in the order in which they first started.

    That is the order of their ids: the clocks of two workers may differ.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.by_key = {step.key: step for step in sorted(steps, key=lambda step: step.pk)}
        self.by_section: dict[int, list[Step]] = defaultdict(list)
        for step in self.by_key.values():
            if (number := section_number(step.key)) is None or (step.stage == "write" and self.chosen_second):
                continue
            self.by_section[number].append(step)

    def reading(self) -> Reading | None:
        """The output of ``research:read``, or None if it is not done."""
        step = self.by_key.get(StepKey("research", "read"))
        if step is None or step.status != StepStatus.COMPLETED or step.finished_at is None:
            return None
        if "output" not in step.get_deferred_fields():
            return output_of(step, Reading)
        return completed_reading(step.pk, step.finished_at)

    @cached_property
    def chosen_second(self) -> Step | None:
        """The second draft, from when it is chosen: sections of the first one are not shown any more."""
        choice = self.by_key.get(CHOOSE)
        is_chosen = choice is not None and choice.status == StepStatus.COMPLETED and choice.counts.get("better") == 2
        return self.by_key.get(SECOND) if is_chosen else None

    def draft_of(self, number: int) -> Step | None:
        """The step whose draft has section ``number``, from 1: drafts are named by their first section, or 0 for all."""
        if self.chosen_second:
            return self.chosen_second
        drafts = [key for key in self.by_key if (key.stage, key.kind) == ("write", "draft") and key.section <= number]
        return self.by_key[max(drafts, key=lambda key: key.section)] if drafts else None

    @property
    def find_steps(self) -> list[Step]:
        """The steps ``research:find:N`` in the order of their groups."""
        steps = (step for key, step in self.by_key.items() if (key.stage, key.kind) == ("research", "find"))
        return sorted(steps, key=lambda step: step.section)

    def find_output(self, step: Step) -> QuestionFindings | None:
        return output_of(step, QuestionFindings)

    def output(self, key: StepKey, shape: type[Output]) -> Output | None:
        """The output of step ``key``, or None if it is not done."""
        step = self.by_key.get(key)
        return output_of(step, shape) if step else None


def load_steps(run: Run, outputs_of: StepFilter | None) -> list[Step]:
    """The run's current steps, with the outputs of those that ``outputs_of`` selects; None selects all.

    Other outputs are queried when they are used: a run's outputs are some megabytes, and an event changes one of them.
    """
    current = run.steps.current().order_by("pk")
    if outputs_of is None:
        return list(current)
    steps = list(current.only(*SHOWN))
    wanted = {step.pk: step for step in steps if step.status == StepStatus.COMPLETED and outputs_of(step.key)}
    if wanted:
        for pk, output in Step.objects.filter(pk__in=wanted).order_by().values_list("pk", "output"):
            wanted[pk].output = output
    return steps


@lru_cache(maxsize=8)
def completed_reading(step_id: int, finished_at: datetime) -> Reading | None:
    """The output of a completed ``research:read``, which never changes: every check of a section needs some passages of it."""
    return parse_or_none(Step.objects.values_list("output", flat=True).get(pk=step_id), Reading)


def section_number(key: StepKey) -> int | None:
    """The section a step works at, from 1, or 0 for the introduction.

    None if it is not for one section but for several, or for a group of sources.
    """
    if key.stage == "research" or key.kind in FOR_SEVERAL:
        return None
    is_of_introduction = key.stage == "edit" and key.kind in ("section", "corrected", "evidence", "lead")
    return key.section if is_of_introduction else key.section or None


def work_of(key: StepKey) -> str:
    """What a step does to its section: plan, write, adjust (its length), edit or check; empty if it is not for a section.

    ``draft`` is what a step does that writes several sections in one text.
    """
    if key.stage == "write" and key.kind in ("draft", "second"):
        return "draft"
    if section_number(key) is None:
        return ""
    if key.kind in ("section", "corrected"):
        return {"outline": "plan", "write": "write"}.get(key.stage, "edit")
    return {"evidence": "check", "length": "adjust", "lead": "write"}.get(key.kind, "")


def output_of(step: Step, shape: type[Output]) -> Output | None:
    return parse_or_none(step.output, shape) if step.status == StepStatus.COMPLETED else None
