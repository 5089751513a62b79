"""The stages of a run as people see them, derived from its steps without reading their outputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel

from agents.contract import (
    AGENTS,
    CheckedText,
    Choice,
    Outline,
    Plan,
    QuestionFindings,
    Questions,
    Reading,
    SectionText,
    Stage,
)
from agents.pipeline.steps import StepKey
from agents.text.markdown import count_words
from articles.models.status import Status, StepStatus

if TYPE_CHECKING:
    from articles.models.run import Run, Step


def counts_of(output: BaseModel) -> dict[str, int]:
    """What the timeline shows of a completed step; stored with it."""
    match output:
        case Questions():
            return {"questions": len(output.questions)}
        case Reading():
            return {"sources": len(output.sources), "passages": len(output.passages)}
        case QuestionFindings():
            return {"findings": len(output.findings)}
        case Plan() | Outline():
            return {"sections": len(output.sections)}
        case CheckedText():
            verdicts = [row.verdict for row in output.evidence]
            return {
                "sentences": len(verdicts),
                "supported": verdicts.count("supported"),
                "partly": verdicts.count("partly"),
                "unsupported": verdicts.count("not"),
                "reworded": sum(bool(row.was) for row in output.evidence),
            }
        case SectionText():
            return {"words": count_words(output.markdown)}
        case Choice():
            return {"better": output.better}
    return {}


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
        started = [step for step in steps if step.status == StepStatus.STARTED]
        latest = max(started or steps, key=lambda step: step.finished_at or step.started_at, default=None)
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
    """All six stages, started or not. ``steps`` are the current ones of the run."""
    return [StageView.of(stage, run, [step for step in steps if step.stage == stage]) for stage in AGENTS]


def summary_of(stage: Stage, steps: Iterable[Step]) -> str:
    """The result of a stage of many steps; empty if the message of its latest step says more."""
    in_order = sorted(steps, key=lambda step: step.pk)  # not by time: clocks of two workers may differ
    done = {step.key: step.counts for step in in_order if step.status == StepStatus.COMPLETED}
    if stage == "research":
        questions = part(done, StepKey("research", "plan"), "questions", "question")
        sources = part(done, StepKey("research", "read"), "sources", "source")
        counts = [count["findings"] for key, count in done.items() if key.kind == "find" and "findings" in count]
        found = pluralize(sum(counts), "finding") if counts else ""
        return ", ".join(filter(None, (questions, sources, found)))
    if stage == "outline":
        keys = (StepKey("outline", "approved"), StepKey("outline", "plan"), StepKey("outline", "make"))
        return next(filter(None, (part(done, key, "sections", "section") for key in keys)), "")
    sections = len({key.section for key in done if key.kind in ("section", "corrected")})
    if stage == "write":  # a draft of several sections has others of their own only if it misses some
        if done.get(StepKey("write", "second"), {}).get("words"):
            return "2 drafts"
        return "" if any(key.kind == "draft" for key in done) else pluralize(sections, "section")
    if stage == "edit":
        edited = f"{pluralize(sections, 'section')} edited" if sections else ""
        return ", ".join(filter(None, (edited, supported_sentences(done))))
    return ""


def supported_sentences(done: dict[StepKey, dict[str, int]]) -> str:
    """How many cited sentences are supported, by the latest check of each section."""
    latest = {key.section: counts for key, counts in done.items() if key.kind == "evidence"}
    sentences = sum(counts.get("sentences", 0) for counts in latest.values())
    supported = sum(counts.get("supported", 0) for counts in latest.values())
    return f"{supported} of {pluralize(sentences, 'sentence')} supported" if sentences else ""


def part(done: dict[StepKey, dict[str, int]], key: StepKey, name: str, noun: str) -> str:
    """A count of a completed step, such as “4 questions”; empty if there is none."""
    return pluralize(done[key][name], noun) if name in done.get(key, {}) else ""


def pluralize(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
