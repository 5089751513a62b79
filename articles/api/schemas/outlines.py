"""Request and response bodies for outlines."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt

from agents.contract import MAX_HEADING, MAX_SECTIONS, Outline, SectionForm
from agents.input_types import Line, Prose
from articles.api.schemas.articles import In
from articles.forms.outline import (
    MAX_ANSWER,
    MAX_FINDINGS,
    MAX_PASSAGES,
    MAX_POINT,
    MAX_POINTS,
    MAX_PURPOSE,
    MAX_QUESTION,
    MAX_QUESTIONS,
    MAX_TERMS,
    MAX_WISH,
    MIN_SECTIONS,
)
from articles.models import Status

SeenSeq = Annotated[
    StrictInt | None,
    Field(ge=0, description="`last_seq` of the outline as you read it: 409 where there is another by now"),
]


class OutlineSectionIn(In):
    """``words`` of 0 are a share of what the other sections leave of the length; ``sources`` are ids of passages.

    Without ``form`` or ``findings``, those of the waiting outline's section with the same heading are kept.
    """

    heading: Annotated[str, Field(min_length=2, max_length=MAX_HEADING), Line]
    purpose: Annotated[str, Field(max_length=MAX_PURPOSE), Prose] = ""
    form: Annotated[SectionForm, Field(description="How its main part is shown")] = "prose"
    points: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_POINT), Line]], Field(max_length=MAX_POINTS)
    ] = []
    findings: Annotated[
        list[StrictInt],
        Field(max_length=MAX_FINDINGS, description="Numbers of `research_data.findings`. Each belongs to one section"),
    ] = []
    sources: Annotated[
        list[Annotated[str, Field(max_length=20), Line]],
        Field(max_length=MAX_PASSAGES, description="Such as S3. What was not read is left out"),
    ] = []
    words: Annotated[StrictInt, Field(ge=0, description="50–600, or 0")] = 0


class DismissedFindingIn(In):
    finding: StrictInt
    reason: Annotated[str, Field(max_length=MAX_PURPOSE), Line]


class PlannedQuestionIn(In):
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION), Line]
    section: Annotated[StrictInt, Field(description="Number of the section that answers it, counted from 1")]


class PlannedTermIn(In):
    term: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION), Line]
    section: Annotated[StrictInt, Field(description="Number of the section that explains it, counted from 1")]


class OutlineIn(In):
    """Fields that are not sent are kept as in the waiting outline. Findings that no section has are dismissed.

    ``questions`` and ``terms`` that are not sent, or sent as they were read, move with their sections; those of removed
    sections are left out.
    """

    title: Annotated[str, Field(min_length=5, max_length=MAX_HEADING), Line]
    answer: Annotated[
        str, Field(max_length=MAX_ANSWER, description="What the article answers, in two sentences"), Prose
    ] = ""
    caveat: Annotated[
        str,
        Field(max_length=MAX_ANSWER, description="What the sources do not support of the answer first planned"),
        Prose,
    ] = ""
    position: Annotated[str, Field(max_length=MAX_ANSWER, description="What the article recommends"), Prose] = ""
    questions: Annotated[
        list[PlannedQuestionIn], Field(max_length=MAX_QUESTIONS, description="Questions of the readers")
    ] = []
    terms: Annotated[
        list[PlannedTermIn], Field(max_length=MAX_TERMS, description="Terms the readers may not know")
    ] = []
    sections: Annotated[list[OutlineSectionIn], Field(min_length=MIN_SECTIONS, max_length=MAX_SECTIONS)]
    dismissed: Annotated[
        list[DismissedFindingIn], Field(max_length=MAX_FINDINGS, description="Findings the article leaves out")
    ] = []

    def as_outline(self, waiting: dict[str, Any] | None) -> Outline:
        """Fields that were not sent stay unset: ``approve_outline`` takes them from the waiting outline.

        So do questions and terms that were sent as in ``waiting``: the numbers of their sections may have changed.
        """
        sent = self.model_dump(exclude_unset=True)
        unchanged = {
            name for name in ("questions", "terms") if name in sent and sent[name] == (waiting or {}).get(name)
        }
        return Outline.model_validate({name: value for name, value in sent.items() if name not in unchanged})


class ApprovalIn(In):
    """Without an ``outline``, the waiting one is approved unchanged."""

    outline: OutlineIn | None = None
    seen_seq: SeenSeq = None


class RegenerateIn(In):
    wish: Annotated[str, Field(min_length=1, max_length=MAX_WISH, description="What should change"), Prose]
    seen_seq: SeenSeq = None


class OutlineOut(BaseModel):
    """``outline`` is null until it is made; ``min_words`` the length asked for; ``last_seq`` the article's newest event."""

    id: int
    status: Status
    outline: Annotated[
        dict[str, Any] | None,
        Field(
            description="`title`, `answer`, `caveat`, `position`, `questions`, `terms`, `sections` and `dismissed`, as"
            " `approve` takes them"
        ),
    ]
    min_words: int
    last_seq: int
