"""Reads the outputs of a run's steps. Outputs an older version stored in another shape are left out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from articles.models import Step, StepStatus

Output = TypeVar("Output", bound=BaseModel)

# outline:3  write:3  write:3:again-1  edit:3  edit:3:length-1  edit:evidence:3  edit:evidence:3:again-1
OF_A_SECTION = re.compile(r"(?P<stage>outline|write|edit):(?P<check>evidence:)?(?P<number>\d{1,4})(?P<again>:[\w-]+)?")


class StepLog:
    """A run's steps by key and by section, in the order in which they first started.

    That is the order of their ids: the clocks of two workers may differ.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.by_key: dict[str, Step] = {}
        self.by_section: dict[int, list[Step]] = defaultdict(list)
        for step in sorted(steps, key=lambda step: step.pk):
            self.by_key[step.key] = step
            if number := section_number(step.key):
                self.by_section[number].append(step)

    def output(self, key: str, shape: type[Output]) -> Output | None:
        """The output of step ``key``; None if it is not completed."""
        step = self.by_key.get(key)
        return output_of(step, shape) if step else None


def section_number(key: str) -> int | None:
    """The number of the section a step works on, from 1; None for other steps."""
    found = OF_A_SECTION.fullmatch(key)
    return int(found["number"]) if found else None


def work_of(key: str) -> str:
    """What a step does to its section: plan, write, adjust (its length), edit or check; empty for other steps."""
    found = OF_A_SECTION.fullmatch(key)
    if not found:
        return ""
    if found["check"]:
        return "check"
    if found["again"]:
        return "adjust"
    return {"outline": "plan", "write": "write", "edit": "edit"}[found["stage"]]


def output_of(step: Step, shape: type[Output]) -> Output | None:
    return parse_or_none(step.output, shape) if step.status == StepStatus.COMPLETED else None


def parse_or_none(stored: Any, shape: type[Output]) -> Output | None:
    """``stored`` as ``shape``; None if another version stored it in another shape."""
    try:
        return shape.model_validate(stored)
    except ValidationError:
        return None
