"""Texts of sections, the changes of editors, and the lead."""

from __future__ import annotations

from typing import Literal

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


class Advice(LLMOutput):
    """What an editor should do in section ``section``, counted from 1; 0 is the introduction."""

    section: int
    what: str


class Choice(LLMOutput):
    """``edit:choose``: which of two drafts is better, what it should take over from the other one, and what is wrong in it."""

    better: Literal[1, 2]
    reason: str
    take_over: list[Advice] = Field(max_length=12)
    wrong: list[Advice] = Field(max_length=12)


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
