"""Fills the prompts of ``prompts/`` with a comparison's brief and sources."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from string import Template

from bench.judge.comparison import Comparison

PROMPTS = Path(__file__).parent / "prompts"


def today() -> date:
    return datetime.now().astimezone().date()


def load(name: str) -> str:
    return (PROMPTS / name).read_text(encoding="utf-8")


def fill(name: str, comparison: Comparison, day: date, **more: str) -> str:
    """The prompt ``name`` with the fields of the brief, today's date and ``more``."""
    brief = comparison.brief
    fields = {
        "topic": brief.topic,
        "tone": brief.tone,
        "audience": brief.audience,
        "words": f"{brief.words:,}",
        "language": brief.language,
        "wishes": wishes(comparison),
        "today": day.isoformat(),
    }
    return Template(load(name)).substitute(fields | more)


def wishes(comparison: Comparison) -> str:
    """Notes and keywords of the brief as list items, or nothing."""
    brief = comparison.brief
    lines = [f"- Notes: {brief.notes}"] if brief.notes else []
    if brief.keywords:
        lines.append(f"- Keywords: {', '.join(brief.keywords)}")
    return "".join(f"{line}\n" for line in lines)


def rival_prompt(comparison: Comparison, day: date) -> str:
    """One prompt over all sources: what a person would send to a capable model."""
    texts = "\n\n".join(source.as_prompt() for source in comparison.sources)
    return report_prompt(comparison, day, f"The sources:\n\n{texts}")


def report_prompt(comparison: Comparison, day: date, material: str) -> str:
    return fill("report.md", comparison, day, material=material)
