"""Response bodies for the evidence check."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from articles.evidence.results import CitedPassage, EvidenceSummary
from articles.evidence.standing import CheckedText, State, TextSentence
from articles.pages.evidence import EvidenceRow
from articles.services import MAX_CONTENT


class TallyOut(BaseModel):
    """``sentences`` were checked or cite a source. So many of them, as they are now, are supported, in part or not; were edited
    since they were checked; or are new and unchecked. ``reworded`` are those that the check reworded. ``uncited`` are new
    statements of fact without a source, which ``sentences`` does not count.
    """

    sentences: int
    supported: int
    partly: int
    unsupported: int
    reworded: int
    edited: int
    unchecked: int
    uncited: int

    @classmethod
    def of(cls, summary: EvidenceSummary) -> TallyOut:
        return cls(**asdict(summary))


class CitedPassageOut(BaseModel):
    """``reference`` is the number its source has in the article; null while that is being written.

    ``page`` is the page of a PDF, null for other sources. ``link`` is ``url`` with that page, or with the words of the passage.
    """

    id: str
    text: str
    source: str
    url: str
    link: str
    page: int | None
    reference: int | None

    @classmethod
    def of(cls, cited: CitedPassage) -> CitedPassageOut:
        source = cited.source
        return cls(
            id=cited.passage.id,
            text=cited.passage.text,
            source=source.title if source else "",
            url=source.url if source else "",
            link=cited.link,
            page=cited.passage.page or None,
            reference=cited.reference,
        )


class ClaimCheckOut(BaseModel):
    """A cited sentence. ``was`` is its original wording if it was reworded, otherwise empty."""

    number: int
    section: int
    sentence: str
    was: str
    verdict: Literal["supported", "partly", "not"]
    judged_by: Literal["code", "model"]
    reason: str
    stands: Annotated[bool, Field(description="Whether it still stands in the text as it was judged")]
    passages: list[CitedPassageOut]

    @classmethod
    def of(cls, found: EvidenceRow) -> ClaimCheckOut:
        row = found.checked.row
        passages = [CitedPassageOut.of(cited) for cited in found.checked.cited]
        kept = {name: getattr(row, name) for name in cls.model_fields if name not in ("stands", "passages")}
        return cls(**kept, stands=found.stands, passages=passages)


class SentenceOut(BaseModel):
    """A statement of the text as it is: `content[start:end]`, or the title, for which both are 0.

    `edited` is a checked sentence that was changed since, `unchecked` a new one with a citation, `uncited` a new statement of
    fact without one. `check` is the number of its check in `items`, if that was of these words or of similar ones. `judged_by`
    is null if nobody judged it as it is.
    """

    sentence: str
    start: int
    end: int
    state: State
    judged_by: Literal["code", "model"] | None
    labels: Annotated[list[str], Field(description="The footnotes it cites, such as `1` for `[^1]`")]
    check: int | None
    reason: Annotated[str, Field(description="Why it is not supported, or what code noticed; else empty")]
    passages: list[CitedPassageOut]

    @classmethod
    def of(cls, found: TextSentence) -> SentenceOut:
        row = found.check.row if found.check else None
        return cls(
            sentence=found.plain,
            start=found.start,
            end=found.end,
            state=found.state,
            judged_by=found.judged_by,
            labels=list(found.labels),
            check=row.number if row else None,
            reason=row.reason if row and found.stands else found.problem,
            passages=[CitedPassageOut.of(cited) for cited in found.check.cited] if found.check else [],
        )


class EvidenceOut(BaseModel):
    """`items` are the checks of the run, `sentences` the statements of the finished text as it is now."""

    summary: TallyOut
    items: list[ClaimCheckOut]
    sentences: list[SentenceOut]


class UnsavedTextIn(BaseModel):
    """A text that is being edited. Without a title: with the saved one."""

    title: Annotated[str | None, Field(max_length=300)] = None
    content: Annotated[str, Field(max_length=MAX_CONTENT, description="Markdown with footnotes")]


class TextEvidenceOut(BaseModel):
    """The statements of a text that need not be saved."""

    summary: TallyOut
    sentences: list[SentenceOut]

    @classmethod
    def of(cls, text: CheckedText) -> TextEvidenceOut:
        return cls(summary=TallyOut.of(text.summary), sentences=[SentenceOut.of(each) for each in text.sentences])
