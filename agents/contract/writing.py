"""Texts of sections, the changes of editors, and the lead."""

from __future__ import annotations

from pydantic import Field

from agents.contract.base import LLMOutput, StoredModel


class SectionText(StoredModel):
    """Markdown of the writer or the editor, with citation marks ``[S3]``."""

    markdown: str


class Replacement(LLMOutput):
    """``find`` occurs word for word in the section; ``put`` takes its place and may be empty."""

    section: int
    find: str
    put: str


class Improvements(LLMOutput):
    """An editor's changes of a part of the article."""

    replacements: list[Replacement] = Field(max_length=40)


class Edits(StoredModel):
    """``edit:revise:N``."""

    replacements: list[Replacement] = []


class Lead(LLMOutput):
    """``edit:lead``: written last, from the finished text."""

    title: str
    lead: str
