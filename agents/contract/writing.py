"""Texts of sections, the remarks of a review, the edits that carry them out, and the lead."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agents.contract.base import LLMOutput, StoredModel
from agents.contract.outline import MAX_SECTIONS


class SectionText(StoredModel):
    """Markdown of the writer or the editor, with citation marks ``[S3]``."""

    markdown: str


class ReviewRemark(LLMOutput):
    """Something to change. ``quote`` are the words of the section that are wrong."""

    section: Annotated[int, Field(ge=0, le=MAX_SECTIONS)]
    quote: str
    problem: str
    instruction: str


class ReviewAnswer(LLMOutput):
    remarks: list[ReviewRemark] = Field(max_length=12)


class Remark(StoredModel):
    """``kind`` is set in reviews of older versions."""

    section: int
    quote: str = ""
    problem: str = ""
    instruction: str = ""
    kind: str = ""


class Review(StoredModel):
    """``edit:review``, ``edit:review:N``: what to revise, with the section, counted from 1."""

    remarks: list[Remark] = []


class Replacement(LLMOutput):
    """``find`` occurs word for word in the section; ``put`` takes its place and may be empty."""

    section: int
    find: str
    put: str


class Edits(LLMOutput):
    """The changes that carry out remarks. ``declined`` are remarks that are mistaken, each with the reason."""

    replacements: list[Replacement] = Field(max_length=30)
    declined: list[str]


class Lead(LLMOutput):
    """``edit:lead``: written last, from the finished text."""

    title: str
    lead: str
