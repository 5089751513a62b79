"""Endpoints for an article's outline: read, approve, regenerate."""

from __future__ import annotations

from ninja import Router

from articles.api.requests import AuthedRequest, find, find_own
from articles.api.responses import NOT_FOUND, OWN_CONFLICT, fill, status_out
from articles.api.schemas.articles import Problem, StatusOut
from articles.api.schemas.outlines import ApprovalIn, OutlineOut, RegenerateIn
from articles.pages import ArticleView
from articles.services import approve_outline, regenerate_outline

router = Router(tags=["outlines"])


@router.get("/articles/{int:article_id}/outline", response={200: OutlineOut, **NOT_FOUND})
def article_outline(request: AuthedRequest, article_id: int) -> OutlineOut:
    """Get the outline. Nothing is written from it while the article is `awaiting_approval`."""
    article = find(request, article_id)
    outline = ArticleView(article).outline
    return fill(OutlineOut, article, outline=outline.model_dump() if outline else None)


@router.post("/articles/{int:article_id}/approve", response={200: StatusOut, **OWN_CONFLICT, 422: Problem})
def article_approve(request: AuthedRequest, article_id: int, approval: ApprovalIn | None = None) -> StatusOut:
    """Approve the waiting outline, or the one you send; 409 if none is waiting."""
    article = find_own(request, article_id)
    sent = approval or ApprovalIn()
    outline = sent.outline.as_outline(article.outline) if sent.outline else None
    approve_outline(article=article, by=request.auth, outline=outline, seen_seq=sent.seen_seq)
    return status_out(article)


@router.post("/articles/{int:article_id}/outline/redo", response={200: StatusOut, **OWN_CONFLICT, 422: Problem})
def article_outline_redo(request: AuthedRequest, article_id: int, change: RegenerateIn) -> StatusOut:
    """Regenerate the outline; the new one waits for approval again. What was read is kept."""
    article = find_own(request, article_id)
    regenerate_outline(article=article, by=request.auth, wish=change.wish, seen_seq=change.seen_seq)
    return status_out(article)
