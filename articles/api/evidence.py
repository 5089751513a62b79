"""Endpoint for the evidence check: each cited sentence and its verdict."""

from __future__ import annotations

from ninja import Router

from articles.api.requests import AuthedRequest, find
from articles.api.responses import NOT_FOUND
from articles.api.schemas.evidence import ClaimCheckOut, EvidenceOut, TallyOut
from articles.pages import ArticleView

router = Router(tags=["evidence"])


@router.get("/articles/{int:article_id}/evidence", response={200: EvidenceOut, **NOT_FOUND})
def article_evidence(request: AuthedRequest, article_id: int) -> EvidenceOut:
    """List the cited sentences with their passages and verdicts. While the article is being written: those checked so far."""
    view = ArticleView(find(request, article_id))
    items = [ClaimCheckOut.of(row) for section in view.evidence for row in section.rows]
    return EvidenceOut(summary=TallyOut.of(view.evidence_summary), items=items)
