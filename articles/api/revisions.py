"""Endpoints for the saved revisions of a text: list, read, compare, restore, name."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import Http404
from ninja import Query, Router, Status

from articles.api.requests import AuthedRequest, find, find_own
from articles.api.responses import NOT_FOUND, OWN, OWN_CONFLICT, fill
from articles.api.schemas.articles import Page, Problem
from articles.api.schemas.revisions import (
    ChangeOut,
    ComparisonOut,
    NameIn,
    OriginsOut,
    PieceOut,
    RestoreIn,
    RevisionOut,
    RevisionsOut,
    RevisionTextOut,
    SentenceOriginOut,
)
from articles.models import Article, Revision
from articles.pages.origins import OriginsView
from articles.pages.revisions import ComparisonView, article_revision, summary_of_revision
from articles.revisions import Piece
from articles.services import name_revision, restore_changes, restore_revision

router = Router(tags=["revisions"])


@router.get("/articles/{int:article_id}/revisions", response={200: RevisionsOut, **NOT_FOUND, 422: Problem})
def article_revisions(request: AuthedRequest, article_id: int, page: Query[Page]) -> RevisionsOut:
    """List the revisions, newest first, without their texts."""
    found = find(request, article_id, bodies=False).revisions.defer("content").select_related("saved_by")
    items = [revision_out(revision) for revision in found[page.skip : page.skip + page.limit]]
    return RevisionsOut(items=items, count=found.count())


@router.get("/articles/{int:article_id}/revisions/{int:number}", response={200: RevisionTextOut, **NOT_FOUND})
def article_revision_get(request: AuthedRequest, article_id: int, number: int) -> RevisionTextOut:
    """Get a revision with its text."""
    return text_out(find_revision(find(request, article_id, bodies=False), number))


@router.patch("/articles/{int:article_id}/revisions/{int:number}", response={200: RevisionOut, **OWN, 422: Problem})
def article_revision_name(request: AuthedRequest, article_id: int, number: int, body: NameIn) -> RevisionOut:
    """Name a revision."""
    revision = find_revision(find_own(request, article_id), number)
    name_revision(revision=revision, name=body.name)
    return revision_out(revision)


@router.get(
    "/articles/{int:article_id}/revisions/{int:number}/compare/{int:other}", response={200: ComparisonOut, **NOT_FOUND}
)
def article_revisions_compare(request: AuthedRequest, article_id: int, number: int, other: int) -> ComparisonOut:
    """Compare two revisions: what changed from the older one to the newer one, by words."""
    article = find(request, article_id, bodies=False)
    view = ComparisonView(*(find_revision(article, each) for each in sorted((number, other))))
    return ComparisonOut.model_construct(
        before=view.before.number,
        after=view.after.number,
        summary=view.summary.text,
        words=view.summary.words,
        title=pieces_out(view.title),
        changes=[fill(ChangeOut, change, pieces=pieces_out(change.pieces)) for change in view.shown_changes],
        count=len(view.changes),
    )


@router.get("/articles/{int:article_id}/revisions/{int:number}/origins", response={200: OriginsOut, **NOT_FOUND})
def article_revision_origins(request: AuthedRequest, article_id: int, number: int) -> OriginsOut:
    """Where each sentence of a revision is from."""
    view = OriginsView(find_revision(find(request, article_id, bodies=False), number))
    return OriginsOut.model_construct(
        revision=number,
        words=view.words,
        sentences=[
            SentenceOriginOut.model_construct(start=each.unit.start, end=each.unit.end, origin=each.origin)
            for each in view.sentences
        ],
    )


@router.post(
    "/articles/{int:article_id}/revisions/{int:number}/restore",
    response={201: RevisionTextOut, **OWN_CONFLICT, 422: Problem},
)
def article_revision_restore(
    request: AuthedRequest, article_id: int, number: int, body: RestoreIn
) -> Status[RevisionTextOut]:
    """Save an earlier text, or only some passages of it, as the next revision; 409 if a newer revision exists."""
    article = find_own(request, article_id)
    revision = find_revision(article, number)
    if body.changes or body.title:
        saved = restore_changes(
            article=article,
            by=request.auth,
            revision=revision,
            opened_at=body.revision,
            changes=body.changes,
            title=body.title,
        )
    else:
        saved = restore_revision(article=article, by=request.auth, revision=revision, opened_at=body.revision)
    return Status(201, text_out(saved))


def find_revision(article: Article, number: int) -> Revision:
    revision = article_revision(article, number)
    if revision is None:
        raise Http404("This article has no such revision.")
    return revision


def revision_out(revision: Revision) -> RevisionOut:
    return fill(RevisionOut, revision, summary=summary_of_revision(revision).text)


def text_out(revision: Revision) -> RevisionTextOut:
    return fill(RevisionTextOut, revision, summary=summary_of_revision(revision).text)


def pieces_out(pieces: Iterable[Piece]) -> list[PieceOut]:
    return [fill(PieceOut, piece) for piece in pieces]
