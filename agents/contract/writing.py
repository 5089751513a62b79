"""Texts of sections, the remarks of a review, the edits that carry them out, and the lead."""

from __future__ import annotations

from pydantic import Field

from agents.contract.base import LLMOutput, StoredModel


class SectionText(StoredModel):
    """Markdown of the writer or the editor, with citation marks ``[S3]``."""

    markdown: str


class Remark(StoredModel):
    """A request of a reviewer, in the reviews of older versions."""

    section: int
    quote: str = ""
    problem: str = ""
    instruction: str = ""
    kind: str = ""


class Review(StoredModel):
    """``edit:review``, ``edit:review:N`` of older versions: what to revise, with the section, counted from 1."""

    remarks: list[Remark] = []


class Replacement(LLMOutput):
    """``find`` occurs word for word in the section; ``put`` takes its place and may be empty."""

    section: int
    find: str
    put: str


class Improvements(LLMOutput):
    """An editor's changes of a part of the article."""

    replacements: list[Replacement] = Field(max_length=40)


class Edits(StoredModel):
    """``edit:revise:N``. ``declined`` are the remarks that an editor of an older version declined."""

    replacements: list[Replacement] = []
    declined: list[str] = []


class Lead(LLMOutput):
    """``edit:lead``: written last, from the finished text."""

    title: str
    lead: str
