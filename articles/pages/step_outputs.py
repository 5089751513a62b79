"""Reads the outputs of a run's steps. Outputs an older version stored in another shape are left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents.pipeline.steps import StepKey
from articles.models import Step, StepStatus

Output = TypeVar("Output", bound=BaseModel)


class StepLog:
    """A run's steps by key and by section, in the order in which they first started.

    That is the order of their ids: the clocks of two workers may differ.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.by_key: dict[StepKey, Step] = {}
        self.by_section: dict[int, list[Step]] = defaultdict(list)
        for step in sorted(steps, key=lambda step: step.pk):
            self.by_key[step.key] = step
            if number := section_number(step.key):
                self.by_section[number].append(step)

    def output(self, key: StepKey, shape: type[Output]) -> Output | None:
        """The output of step ``key``, or None if it is not done."""
        step = self.by_key.get(key)
        return output_of(step, shape) if step else None


def section_number(key: StepKey) -> int | None:
    """The section a step works at, from 1; None if it is not for one section."""
    return key.section or None if key.stage != "research" else None


def work_of(key: StepKey) -> str:
    """What a step does to its section: plan, write, adjust (its length), edit or check; empty if it is not for a section."""
    if section_number(key) is None:
        return ""
    if key.kind == "section":
        return {"outline": "plan", "write": "write"}.get(key.stage, "edit")
    return {"evidence": "check", "length": "adjust"}.get(key.kind, "")


def output_of(step: Step, shape: type[Output]) -> Output | None:
    return parse_or_none(step.output, shape) if step.status == StepStatus.COMPLETED else None


def parse_or_none(stored: Any, shape: type[Output]) -> Output | None:
    """``stored`` as ``shape``; None if another version stored it in another shape."""
    try:
        return shape.model_validate(stored)
    except ValidationError:
        return None
