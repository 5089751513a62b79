"""Endpoints for the saved revisions of a text."""

from __future__ import annotations

from django.http import Http404
from ninja import Query, Router

from articles.api.requests import AuthedRequest, find
from articles.api.responses import NOT_FOUND, fill
from articles.api.schemas.articles import Page, Problem, RevisionOut, RevisionsOut, RevisionTextOut

router = Router(tags=["revisions"])


@router.get("/articles/{int:article_id}/revisions", response={200: RevisionsOut, **NOT_FOUND, 422: Problem})
def article_revisions(request: AuthedRequest, article_id: int, page: Query[Page]) -> RevisionsOut:
    """List the revisions, newest first, without their texts."""
    found = find(request, article_id, bodies=False).revisions.defer("content").select_related("saved_by")
    items = [fill(RevisionOut, revision) for revision in found[page.skip : page.skip + page.limit]]
    return RevisionsOut(items=items, count=found.count())


@router.get("/articles/{int:article_id}/revisions/{int:number}", response={200: RevisionTextOut, **NOT_FOUND})
def article_revision(request: AuthedRequest, article_id: int, number: int) -> RevisionTextOut:
    """Get a revision with its text."""
    revision = find(request, article_id, bodies=False).revisions.filter(number=number).first()
    if revision is None:
        raise Http404("This article has no such revision.")
    return fill(RevisionTextOut, revision)
