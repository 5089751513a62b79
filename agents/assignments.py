"""What each agent is asked in each step: the fields its task's words are filled with, the shape of its answer, and what the
built-in writer answers where no model is configured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import create_model

from agents import extractive
from agents.contract import (
    SEO,
    Brief,
    Finding,
    Findings,
    Outline,
    OutlineSection,
    Passage,
    PicturePrompt,
    Questions,
    Reading,
    Remark,
    Review,
    Text,
)

Reply = TypeVar("Reply")

CITING = (
    "End each sentence that states a fact from a passage with that passage's id in square brackets, as in: Flat roofs are a"
    " city's largest unused surface [S3]. Use no id that is not above."
)
NOT_CITING = "No source could be read for this article: write without citations, and claim nothing you are not sure of."


@dataclass(frozen=True)
class Assignment(Generic[Reply]):
    """``task`` is a name in tasks.yaml, ``fields`` what fills its braces; ``answer`` is ``str`` or a shape of the contract."""

    task: str
    answer: type[Reply]
    fields: dict[str, object]
    built_in: Callable[[], Reply]


def plan_research(brief: Brief) -> Assignment[Questions]:
    return Assignment("plan_research", Questions, told(brief), lambda: extractive.plan_questions(brief))


def find(brief: Brief, questions: Questions, passages: Sequence[Passage]) -> Assignment[Findings]:
    fields = told(brief) | {"questions": listed(questions.questions), "passages": quoted(passages)}
    return Assignment("find", Findings, fields, lambda: extractive.find(brief, passages, questions))


def make_outline(
    brief: Brief, findings: Findings, reading: Reading, passages: Sequence[Passage], sections: int
) -> Assignment[Outline]:
    """An outline of ``sections`` sections. A model is shown ``passages``; the built-in writer shares out all that was read."""
    fields = told(brief) | {
        "synthesis": findings.synthesis or "(no source could be read)",
        "findings": listed(finding_line(finding) for finding in findings.findings),
        "passages": quoted(passages),
        "sections": sections,
    }
    return Assignment("outline", Outline, fields, lambda: extractive.make_outline(brief, reading.passages, sections))


def write_section(
    brief: Brief, outline: Outline, number: int, reading: Reading, passages: Sequence[Passage], words: int
) -> Assignment[str]:
    """The text of section ``number`` (from 1) in about ``words`` words.

    A model is shown ``passages``; the built-in writer has to know all that was read, to use no sentence twice.
    """
    section = outline.sections[number - 1]
    fields = section_fields(brief, outline, number, passages, words) | {
        "purpose": section.purpose,
        "points": listed(section.points),
    }
    return Assignment(
        "write_section",
        str,
        fields,
        lambda: extractive.write_section(brief, outline, number - 1, reading.passages, words).markdown,
    )


def review(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[Review]:
    """The answer's shape knows how many sections there are, so that no remark is about one that does not exist."""
    numbers = Literal[tuple(range(1, len(texts) + 1))]  # type: ignore[valid-type]  # made at run time
    remark = create_model("Remark", __base__=Remark, section=(numbers, ...))
    shape = create_model("Review", __base__=Review, remarks=(list[remark], ...))  # type: ignore[valid-type]
    fields = told(brief) | {"article": assembled(outline, texts)}
    return Assignment(
        "review",
        shape,
        fields,
        lambda: extractive.review(brief, outline, [Text(markdown=text) for text in texts]),
    )


def edit_section(
    brief: Brief,
    outline: Outline,
    number: int,
    text: str,
    remarks: Sequence[Remark],
    passages: Sequence[Passage],
) -> Assignment[str]:
    """Section ``number`` (from 1) mended as ``remarks`` ask. The built-in writer leaves it as it is."""
    fields = section_fields(brief, outline, number, passages, len(text.split())) | {
        "text": text,
        "remarks": listed(f"{remark.kind}: {remark.instruction}" for remark in remarks),
    }
    return Assignment("edit_section", str, fields, lambda: text)


def describe_seo(brief: Brief, outline: Outline, texts: Sequence[str]) -> Assignment[SEO]:
    article = assembled(outline, texts)
    fields = told(brief) | {"title": outline.title, "article": article}
    return Assignment("describe_seo", SEO, fields, lambda: extractive.describe_seo(brief, outline.title, article))


def picture_prompt(brief: Brief, outline: Outline) -> Assignment[PicturePrompt]:
    fields = told(brief) | {"title": outline.title, "outline": headings(outline)}
    return Assignment("picture_prompt", PicturePrompt, fields, lambda: extractive.picture_prompt(brief, outline))


# The fields


def told(brief: Brief) -> dict[str, object]:
    """The brief, as every agent is told it."""
    lines = [
        f"Topic: {brief.topic}",
        f"Readers: {brief.target_audience}",
        f"Tone: {brief.tone}",
        f"Language: {brief.language}",
    ]
    if brief.keywords:
        lines.append(f"Keywords: {', '.join(brief.keywords)}")
    if brief.notes:
        lines.append(f"Notes of the person who asked: {brief.notes}")
    return {"brief": "\n".join(lines), "language": brief.language}


def section_fields(
    brief: Brief, outline: Outline, number: int, passages: Sequence[Passage], words: int
) -> dict[str, object]:
    return told(brief) | {
        "title": outline.title,
        "outline": headings(outline),
        "number": number,
        "heading": outline.sections[number - 1].heading,
        "passages": quoted(passages),
        "citing": CITING if passages else NOT_CITING,
        "words": words,
    }


def listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or "- (none)"


def finding_line(finding: Finding) -> str:
    return f"{finding.statement} {' '.join(f'[{id}]' for id in finding.sources)}"


def quoted(passages: Sequence[Passage]) -> str:
    """Passages as material between marks, each under its id."""
    return "\n\n".join(f"[{p.id}]\n<<<\n{p.text}\n>>>" for p in passages) or "(none)"


def headings(outline: Outline) -> str:
    return "\n".join(heading_line(number, section) for number, section in enumerate(outline.sections, 1))


def heading_line(number: int, section: OutlineSection) -> str:
    return f"{number}. {section.heading}: {section.purpose}"


def assembled(outline: Outline, texts: Sequence[str]) -> str:
    """The article as its editors read it, sections numbered."""
    pairs = zip(outline.sections, texts, strict=True)
    return "\n\n".join(f"## {number}. {section.heading}\n\n{text}" for number, (section, text) in enumerate(pairs, 1))
