"""Endpoints for an article's runs: cancel, retry, keep the text, write again, and the event log."""

from __future__ import annotations

from typing import Annotated

from ninja import Router
from pydantic import Field

from articles.api.requests import AuthedRequest, find, find_own
from articles.api.responses import NOT_FOUND, OWN, OWN_CONFLICT, status_out
from articles.api.schemas.articles import EventsOut, Problem, StatusOut, WriteAgainIn, as_new_sources
from articles.api.schemas.costs import EstimateOut, estimate_out
from articles.services import cancel_run, change_brief_and_start, estimate_cost, keep_text, retry_run

router = Router(tags=["runs"])


@router.post("/articles/{int:article_id}/cancel", response={200: StatusOut, **OWN_CONFLICT})
def article_cancel(request: AuthedRequest, article_id: int) -> StatusOut:
    """Cancel the run in progress. Finished steps are kept; `retry` continues from there."""
    article = find_own(request, article_id)
    cancel_run(article=article, by=request.auth)
    return status_out(article)


@router.post("/articles/{int:article_id}/retry", response={200: StatusOut, **OWN_CONFLICT})
def article_retry(request: AuthedRequest, article_id: int) -> StatusOut:
    """Continue a failed, paused or cancelled article at its first unfinished step, or stop waiting for the AI provider."""
    article = find_own(request, article_id)
    retry_run(article=article, by=request.auth)
    return status_out(article)


@router.post("/articles/{int:article_id}/keep", response={200: StatusOut, **OWN_CONFLICT})
def article_keep(request: AuthedRequest, article_id: int) -> StatusOut:
    """Keep the finished text of an article whose new text failed, was paused or cancelled: it is `completed` again."""
    article = find_own(request, article_id)
    keep_text(article=article, by=request.auth)
    return status_out(article)


@router.post("/articles/{int:article_id}/write-again", response={200: StatusOut, **OWN_CONFLICT, 422: Problem})
def article_write_again(request: AuthedRequest, article_id: int, changes: WriteAgainIn | None = None) -> StatusOut:
    """Write the article again, with the changes you send. The finished text stays until the new one is complete."""
    article = find_own(request, article_id)
    sent = changes or WriteAgainIn()
    change_brief_and_start(
        article=article,
        by=request.auth,
        brief=sent.brief_of(article),
        add=as_new_sources(sent.add_sources),
        remove=sent.remove_sources,
    )
    return status_out(article)


@router.post("/articles/{int:article_id}/write-again/estimate", response={200: EstimateOut, **OWN, 422: Problem})
def article_write_again_estimate(
    request: AuthedRequest, article_id: int, changes: WriteAgainIn | None = None
) -> EstimateOut:
    """Estimate the cost of writing the article again. Nothing is stored."""
    article = find_own(request, article_id)
    return estimate_out(estimate_cost((changes or WriteAgainIn()).brief_of(article)))


@router.get("/articles/{int:article_id}/events", response={200: EventsOut, **NOT_FOUND, 422: Problem})
def article_events(
    request: AuthedRequest,
    article_id: int,
    after: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000,
) -> EventsOut:
    """Read the event log, as sent over the socket: events after number `after`, oldest first."""
    article = find(request, article_id, bodies=False)
    items = [event.as_message() for event in article.events.after(after)[:limit]]
    return EventsOut(items=items, last_seq=article.last_seq)
