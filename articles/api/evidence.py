"""Endpoints for the evidence: each statement of a text and its verdict."""

from __future__ import annotations

from ninja import Router

from articles.api.requests import AuthedRequest, find
from articles.api.responses import INVALID, NOT_FOUND
from articles.api.schemas.evidence import (
    ClaimCheckOut,
    EvidenceOut,
    SentenceOut,
    TallyOut,
    TextEvidenceOut,
    UnsavedTextIn,
)
from articles.evidence.standing import current_text
from articles.pages import ArticleView

router = Router(tags=["evidence"])


@router.get("/articles/{int:article_id}/evidence", response={200: EvidenceOut, **NOT_FOUND})
def article_evidence(request: AuthedRequest, article_id: int) -> EvidenceOut:
    """List the cited sentences with their passages and verdicts. While the article is being written: those checked so far."""
    view = ArticleView(find(request, article_id))
    items = [ClaimCheckOut.of(row) for section in view.evidence for row in section.rows]
    sentences = [SentenceOut.of(found) for found in view.text_evidence.sentences]
    return EvidenceOut(summary=TallyOut.of(view.evidence_summary), items=items, sentences=sentences)


@router.post("/articles/{int:article_id}/evidence", response={200: TextEvidenceOut, **NOT_FOUND, **INVALID})
def text_evidence(request: AuthedRequest, article_id: int, payload: UnsavedTextIn) -> TextEvidenceOut:
    """Compare an edited text with what was checked. Saves nothing and asks no model.

    Code marks what was edited, is new, or has a number or a quotation that its passages do not have.
    """
    return TextEvidenceOut.of(current_text(find(request, article_id), payload.title, payload.content))
