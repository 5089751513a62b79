"""Whether the passages support what a sentence says."""

from __future__ import annotations

from typing import Literal

from agents.contract.base import StoredModel

Verdict = Literal["supported", "partly", "not"]


class SentenceEvidence(StoredModel):
    """A sentence that cites, and whether the passages it cites support it.

    ``section`` counts from 1 and is 0 for the title and the lead. ``key`` identifies sentence and passages by their text.
    ``sentence`` is plain text of the article without marks; ``passages`` are the ids it cites. ``judged_by`` is ``code`` (for a
    number, a quotation or a verbatim sentence) or ``model``. ``reason`` is empty if the verdict is ``supported``; ``was`` is the
    sentence before it was reworded, else empty.
    """

    section: int
    sentence: str
    passages: list[str]
    verdict: Verdict
    judged_by: Literal["code", "model"]
    reason: str = ""
    was: str = ""
    key: str = ""


class DraftVerdict(StoredModel):
    """The verdict on a sentence of the draft. ``instead`` says no more than the passages; empty if it is supported."""

    key: str
    section: int
    sentence: str
    verdict: Verdict
    judged_by: Literal["code", "model"]
    reason: str = ""
    instead: str = ""


class DraftVerdicts(StoredModel):
    """``edit:verdicts:N``: the verdicts on several sections as they were written, before they were edited."""

    verdicts: list[DraftVerdict] = []


class CheckedText(StoredModel):
    """``edit:evidence:N``: a section with citation marks ``[S3]``, and the verdicts on its sentences."""

    markdown: str
    evidence: list[SentenceEvidence] = []
