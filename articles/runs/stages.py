"""A stage of a run as a person is told of it, worked out from its steps."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agents.contract import AGENTS, Stage
from articles.models.status import Status, StepStatus

if TYPE_CHECKING:
    from articles.models.run import Run, Step

# "write:3" and "edit:3", but neither "edit:evidence:3" nor "write:3:again-1": a section counts once.
SECTION = re.compile(r"(?:write|edit):\d+")
CHECK = re.compile(r"edit:evidence:(\d+)")


@dataclass(frozen=True)
class StageView:
    """``status`` is waiting, working, awaiting (a person), completed, failed, skipped or stopped."""

    stage: Stage
    agent: str
    status: str
    message: str
    done: int
    planned: int
    started_at: datetime | None
    seconds: float | None

    @classmethod
    def of(cls, stage: Stage, run: Run, steps: list[Step]) -> StageView:
        planned = max(run.plan.get(stage, 0), len(steps))
        done = sum(step.status == StepStatus.COMPLETED for step in steps)
        status = cls._status(run, steps, done, planned)
        begun = min((step.started_at for step in steps), default=None)
        ended = max((step.finished_at for step in steps if step.finished_at), default=None)
        latest = max(steps, key=lambda step: step.finished_at or step.started_at, default=None)
        summary = summary_of(stage, steps) if status == "completed" else ""
        return cls(
            stage=stage,
            agent=AGENTS[stage],
            status=status,
            message=summary or (latest.message if latest else ""),
            done=done,
            planned=planned,
            started_at=begun,
            seconds=(ended - begun).total_seconds() if begun and ended and status != "working" else None,
        )

    @staticmethod
    def _status(run: Run, steps: list[Step], done: int, planned: int) -> str:
        if any(step.status == StepStatus.FAILED for step in steps):
            return "failed"
        if steps and all(step.status == StepStatus.SKIPPED for step in steps):
            return "skipped"
        if steps and done == planned:
            return "completed"
        if not steps:
            return "waiting"
        return {Status.PROCESSING: "working", Status.AWAITING_APPROVAL: "awaiting"}.get(Status(run.status), "stopped")


def stages_of(run: Run, steps: Collection[Step]) -> list[StageView]:
    """The six stages as a person is told of them, whether they have begun or not; ``steps`` are those of the run that count."""
    return [StageView.of(stage, run, [step for step in steps if step.stage == stage]) for stage in AGENTS]


def summary_of(stage: Stage, steps: Iterable[Step]) -> str:
    """What a stage of many steps came to; empty where its latest step tells more."""
    in_order = sorted(steps, key=lambda step: step.pk)  # as they were first begun, whatever clocks say
    made = {step.key: step.output for step in in_order if step.status == StepStatus.COMPLETED}
    if stage == "research":
        told = (
            listed(made, "research:plan", "questions", "question"),
            listed(made, "research:read", "sources", "source"),
        )
        return ", ".join(part for part in told if part)
    if stage == "outline":
        return listed(made, "outline:approved", "sections", "section") or listed(
            made, "outline:make", "sections", "section"
        )
    sections = sum(bool(SECTION.fullmatch(key)) for key in made)
    if stage == "write":
        return counted(sections, "section")
    if stage == "edit":
        mended = f"{counted(sections, 'section')} mended" if sections else ""
        return ", ".join(part for part in (mended, verdicts(made)) if part)
    return ""


def verdicts(made: dict[str, Any]) -> str:
    """How many of the cited sentences are supported. A section that was checked twice counts as it was checked last."""
    latest = {found[1]: output for key, output in made.items() if (found := CHECK.match(key))}
    rows = [row for output in latest.values() for row in entries(output, "evidence")]
    supported = sum(isinstance(row, dict) and row.get("verdict") == "supported" for row in rows)
    return f"{supported} of {counted(len(rows), 'sentence')} supported" if rows else ""


def listed(made: dict[str, Any], key: str, name: str, noun: str) -> str:
    """How many ``name`` step ``key`` made, such as “4 questions”; empty where it is not done."""
    output = made.get(key)
    return counted(len(entries(output, name)), noun) if isinstance(output, dict) and name in output else ""


def entries(output: Any, name: str) -> list[Any]:
    found = output.get(name) if isinstance(output, dict) else None
    return found if isinstance(found, list) else []


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
