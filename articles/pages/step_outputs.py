"""Reading back what the steps of a run made; what an older version of the studio stored otherwise is left out."""

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
    """The steps of a run by their keys, and by the section they work at, in the order in which they were first begun.

    That is the order of their rows: clocks of two workers may differ.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self.by_key: dict[str, Step] = {}
        self.by_section: dict[int, list[Step]] = defaultdict(list)
        for step in sorted(steps, key=lambda step: step.pk):
            self.by_key[step.key] = step
            if number := section_number(step.key):
                self.by_section[number].append(step)

    def output(self, key: str, shape: type[Output]) -> Output | None:
        """What step ``key`` made; None where it is not done."""
        step = self.by_key.get(key)
        return output_of(step, shape) if step else None


def section_number(key: str) -> int | None:
    """The section a step works at, from 1; None for a step that works at no single one."""
    found = OF_A_SECTION.fullmatch(key)
    return int(found["number"]) if found else None


def work_of(key: str) -> str:
    """What a step does to its section: plan, write, fit (to its length), mend or check; empty where it works at none."""
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
    """``stored`` as ``shape``; None where another version of the studio stored it otherwise: a page can do without it."""
    try:
        return shape.model_validate(stored)
    except ValidationError:
        return None
