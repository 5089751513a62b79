"""What was asked of the sources, and what they say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agents.contract.base import LLMOutput, StoredModel


class Questions(LLMOutput):
    """``research:plan``: the questions readers have, each usable as a search query, in one or several languages."""

    questions: list[str] = Field(min_length=1, max_length=30)


FindingKind = Literal["figure", "claim", "condition", "disagreement", "open"]
"""``condition``: what a figure or claim holds under. ``open``: what a reader has to know and no source says."""


class FoundFact(LLMOutput):
    """One fact, in one sentence, as a model gives it."""

    statement: str
    kind: FindingKind
    date: str = Field(description="the time the fact refers to, such as 2023 or March 2024; empty if none is given")
    sources: list[str] = Field(description="ids of the passages that say so, such as S3")


class FoundFacts(LLMOutput):
    """``research:find:N``: what a group of sources says."""

    findings: list[FoundFact] = Field(max_length=20)


class Finding(StoredModel):
    """A fact that was found, numbered from 1 within the run; 0 in runs of older versions."""

    number: int = 0
    statement: str
    kind: FindingKind = "claim"
    date: str = ""
    sources: list[str] = []


class QuestionFindings(StoredModel):
    """``research:find:N`` as stored, also by older versions."""

    findings: list[Finding] = []


class Findings(StoredModel):
    """All findings. ``synthesis`` is the answer of the plan, checked against the passages."""

    synthesis: str = ""
    findings: list[Finding] = []
