"""Response bodies for the evidence check."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from articles.evidence.results import CitedPassage, EvidenceSummary
from articles.pages.evidence import EvidenceRow


class TallyOut(BaseModel):
    """``sentences`` are those that cite: so many of them are supported, in part, or not, and so many were reworded."""

    sentences: int
    supported: int
    partly: int
    unsupported: int
    reworded: int

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


class EvidenceOut(BaseModel):
    summary: TallyOut
    items: list[ClaimCheckOut]
