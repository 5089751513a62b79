"""The plan of an article, and the outline that is made of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agents.contract.base import LLMOutput, StoredModel

MAX_SECTIONS = 30
MAX_HEADING = 120


SectionForm = Literal["prose", "table", "chart", "steps", "list"]


class ProposedSection(LLMOutput):
    heading: str = Field(min_length=2)
    purpose: str = Field(description="what this section is about, in one sentence")


class ProposedOutline(LLMOutput):
    """What the outline agent answers: the answer to the topic in two sentences, and the sections."""

    answer: str
    title: str = Field(min_length=5)
    sections: list[ProposedSection] = Field(min_length=2, max_length=MAX_SECTIONS)


class DismissedFinding(StoredModel):
    """A finding the article leaves out, and why."""

    finding: int
    reason: str


class PlannedQuestion(StoredModel):
    """A question of the readers, and the number of the section that answers it."""

    question: str
    section: int


class PlannedTerm(StoredModel):
    """A term the readers may not know, and the number of the section that explains it."""

    term: str
    section: int


class PlannedSection(StoredModel):
    """Only plans of older versions have ``form``, ``words`` and ``findings``."""

    heading: str
    purpose: str
    form: SectionForm = "prose"
    words: int = 0
    findings: list[int] = []


class Plan(StoredModel):
    """``outline:plan``: the answer to the topic in two sentences, and the sections.

    Plans of older versions also have a position, the readers' questions and terms, and findings that are left out.
    """

    answer: str
    title: str
    sections: list[PlannedSection]
    position: str = ""
    questions: list[PlannedQuestion] = []
    terms: list[PlannedTerm] = []
    dismissed: list[DismissedFinding] = []


class AnswerCheck(LLMOutput):
    """Whether the passages bear the answer of the plan; ``answer`` is the corrected one."""

    problem: str = Field(description="what the answer says that the passages do not; empty if nothing")
    answer: str


class CheckedAnswer(StoredModel):
    """``outline:answer``: the check of the answer ``planned``. A plan that was made again has another answer."""

    planned: str
    problem: str = ""
    answer: str = ""


class OutlineSection(StoredModel):
    """``words`` is the section's share of the requested length; 0 in outlines of older versions.

    ``findings`` are the numbers of the findings that belong to it, ``points`` what it says, as a person may have edited it.
    """

    heading: str = Field(min_length=2, max_length=MAX_HEADING)
    purpose: str = ""
    form: SectionForm = "prose"
    points: list[str] = []
    findings: list[int] = []
    sources: list[str] = []
    words: int = Field(default=0, ge=0)


class Outline(StoredModel):
    """``outline:approved`` if a person approved it; else made from ``outline:plan`` and ``outline:answer``.

    ``caveat`` is what the check found wrong with the answer as it was planned: the sections must not repeat it.
    """

    title: str = Field(min_length=5, max_length=MAX_HEADING)
    answer: str = ""
    caveat: str = ""
    position: str = ""
    questions: list[PlannedQuestion] = []
    terms: list[PlannedTerm] = []
    sections: list[OutlineSection] = Field(min_length=2, max_length=MAX_SECTIONS)
    dismissed: list[DismissedFinding] = []


class OldOutline(StoredModel):
    """``outline:make`` of older versions: headings with a plan for each in ``outline:N``, or the whole outline."""

    title: str
    sections: list[str | OutlineSection]


class OldSectionPlan(StoredModel):
    """``outline:N`` of older versions."""

    purpose: str = ""
    points: list[str] = []
    sources: list[str] = []
