"""Articles over HTTP. A view finds, calls a service, and tells; errors are turned into ``{"detail": …}`` in one place."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from articles.api.schemas.articles import (
    ActiveOut,
    ArticleOut,
    BriefIn,
    EventsOut,
    Links,
    ListedOut,
    ListIn,
    ListOut,
    Page,
    Problem,
    ResultOut,
    RevisionOut,
    RevisionsOut,
    RevisionTextOut,
    SourceOut,
    SourcesOut,
    StatusOut,
    TaskOut,
    TextIn,
)
from articles.api.schemas.evidence import EvidenceOut, JudgedOut, TallyOut
from articles.api.schemas.outlines import ApprovalIn, OutlineOut, RedoIn
from articles.api.schemas.seo import SeoOut
from articles.costs.reports import spent_on_article
from articles.evidence.results import tally_of
from articles.exceptions import InvalidState, NotYours
from articles.exports.download import download
from articles.forms.articles import ORDERS
from articles.models import Article
from articles.models import Status as ArticleStatus
from articles.models.article import ArticleQuerySet
from articles.pages import ArticleView
from articles.seo import Examination
from articles.services import (
    approve_outline,
    cancel_run,
    create_article,
    delete_article,
    redo_outline,
    retry_run,
    save_text,
)

Shape = TypeVar("Shape", bound=BaseModel)

router = Router(tags=["articles"])

REFUSED = {401: Problem, 422: Problem}
NOT_FOUND = {401: Problem, 404: Problem}
NOT_NOW = {**NOT_FOUND, 409: Problem}
OWN = {**NOT_FOUND, 403: Problem}
OWN_NOW = {**OWN, 409: Problem}

TASKS = 100  # listed at most; the count is of all


class AuthedRequest(HttpRequest):
    """A request whose sender is known."""

    auth: User


# Making and finding


@router.post("/articles/create", response={201: ArticleOut, **REFUSED})
def article_create(request: AuthedRequest, brief: BriefIn) -> Status[ArticleOut]:
    """Give a brief. The article is `pending`, and six agents begin as soon as a worker is free."""
    sources = [source.as_new_source() for source in brief.sources]
    article = create_article(by=request.auth, brief=brief.as_brief(), sources=sources)
    return Status(201, article_out(request, article))


@router.get("/articles/", response={200: ListOut, **REFUSED})
@router.get("/articles", response={200: ListOut, **REFUSED}, include_in_schema=False)
def article_list(request: AuthedRequest, wanted: Query[ListIn]) -> ListOut:
    """Your articles, without their texts. `count` is how many there are in all."""
    found = with_voices(Article.objects.visible_to(request.auth)).search(wanted.q)
    if wanted.status:
        found = found.filter(status=wanted.status)
    rows = found.without_bodies().order_by(*ORDERS[wanted.order][1])[wanted.skip : wanted.skip + wanted.limit]
    return ListOut(items=[listed_out(request, article) for article in rows], count=found.count())


@router.get("/articles/active/tasks", response={200: ActiveOut, 401: Problem})
def active_tasks(request: AuthedRequest) -> ActiveOut:
    """The articles that wait for a worker or are being written, newest first."""
    running = Article.objects.visible_to(request.auth).running()
    tasks = [
        fill(TaskOut, article, progress_percentage=article.progress) for article in running.without_bodies()[:TASKS]
    ]
    return ActiveOut(active_count=running.count() if len(tasks) == TASKS else len(tasks), tasks=tasks)


# One article


@router.get("/articles/{int:article_id}", response={200: ArticleOut, **NOT_FOUND})
def article_get(request: AuthedRequest, article_id: int) -> ArticleOut:
    return article_out(request, find(request, article_id))


@router.get("/articles/{int:article_id}/status", response={200: StatusOut, **NOT_FOUND})
def article_status(request: AuthedRequest, article_id: int) -> StatusOut:
    return status_out(find(request, article_id, bodies=False))


@router.get("/articles/{int:article_id}/result", response={200: ResultOut, **NOT_NOW})
def article_result(request: AuthedRequest, article_id: int) -> ResultOut:
    """All that was made; 409 until the article is completed, with what to do."""
    article = find(request, article_id)
    if article.status != ArticleStatus.COMPLETED:
        raise InvalidState(why_not_finished(article))
    evidence = TallyOut.of(tally_of(article))
    seo = SeoOut.of(Examination(article, base_url=site_of(request)))
    return fill(ResultOut, article, image_url=image_url(request, article), evidence=evidence, seo_meta=seo)


@router.patch("/articles/{int:article_id}", response={200: ArticleOut, **OWN_NOW, 422: Problem})
def article_edit(request: AuthedRequest, article_id: int, text: TextIn) -> ArticleOut:
    """Save an edited title or text as the next revision; 409 where somebody else has saved one since."""
    article = find_own(request, article_id)
    title = article.title if text.title is None else text.title
    content = article.content if text.content is None else text.content
    save_text(article=article, by=request.auth, title=title, content=content, opened_at=text.revision)
    return article_out(request, article)


@router.delete("/articles/{int:article_id}", response={204: None, **OWN})
def article_delete(request: AuthedRequest, article_id: int) -> Status[None]:
    """Delete the article with its history and files. One that is being written is cancelled first."""
    delete_article(article=find_own(request, article_id, to="delete"), by=request.auth)
    return Status(204, None)


@router.post("/articles/{int:article_id}/cancel", response={200: StatusOut, **OWN_NOW})
def article_cancel(request: AuthedRequest, article_id: int) -> StatusOut:
    """Stop the crew. What it finished stays, and `retry` goes on from there."""
    article = find_own(request, article_id)
    cancel_run(article=article, by=request.auth)
    return status_out(article)


@router.post("/articles/{int:article_id}/retry", response={200: StatusOut, **OWN_NOW})
def article_retry(request: AuthedRequest, article_id: int) -> StatusOut:
    """Let a failed, paused or cancelled article, or one that waits for its model, go on at the first step that is not done."""
    article = find_own(request, article_id)
    retry_run(article=article, by=request.auth)
    return status_out(article)


# Its outline


@router.get("/articles/{int:article_id}/outline", response={200: OutlineOut, **NOT_FOUND})
def article_outline(request: AuthedRequest, article_id: int) -> OutlineOut:
    """The outline as it was made or approved. While the article is `awaiting_approval`, nothing is written."""
    article = find(request, article_id)
    outline = ArticleView(article).outline
    return fill(OutlineOut, article, outline=outline.model_dump() if outline else None)


@router.post("/articles/{int:article_id}/approve", response={200: StatusOut, **OWN_NOW, 422: Problem})
def article_approve(request: AuthedRequest, article_id: int, approval: ApprovalIn | None = None) -> StatusOut:
    """Let the crew write from the outline that waits, or from the one you send; 409 where none waits."""
    article = find_own(request, article_id)
    given = approval or ApprovalIn()
    outline = given.outline.as_outline() if given.outline else None
    approve_outline(article=article, by=request.auth, outline=outline, seen_seq=given.seen_seq)
    return status_out(article)


@router.post("/articles/{int:article_id}/outline/redo", response={200: StatusOut, **OWN_NOW, 422: Problem})
def article_outline_redo(request: AuthedRequest, article_id: int, asked: RedoIn) -> StatusOut:
    """Have another outline made; it waits for you again. What was read is kept."""
    article = find_own(request, article_id)
    redo_outline(article=article, by=request.auth, wish=asked.wish, seen_seq=asked.seen_seq)
    return status_out(article)


# What belongs to one


@router.get("/articles/{int:article_id}/events", response={200: EventsOut, **NOT_FOUND, 422: Problem})
def article_events(
    request: AuthedRequest,
    article_id: int,
    after: Annotated[int, Field(ge=0)] = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000,
) -> EventsOut:
    """The log as the socket tells it: what came after number `after`, oldest first."""
    article = find(request, article_id, bodies=False)
    items = [event.as_message() for event in article.events.after(after)[:limit]]
    return EventsOut(items=items, last_seq=article.last_seq)


@router.get("/articles/{int:article_id}/evidence", response={200: EvidenceOut, **NOT_FOUND})
def article_evidence(request: AuthedRequest, article_id: int) -> EvidenceOut:
    """The sentences that cite, with the passages they cite and whether those say so; while it is written, so far."""
    view = ArticleView(find(request, article_id))
    items = [JudgedOut.of(row) for section in view.evidence for row in section.rows]
    return EvidenceOut(summary=TallyOut.of(view.tally), items=items)


@router.get("/articles/{int:article_id}/export/{format}", response={200: Any, **NOT_NOW})
def article_export(request: AuthedRequest, article_id: int, format: str) -> HttpResponse:
    """The article as a file: `md`, `html`, `pdf`, `docx` or `epub`."""
    return download(find(request, article_id), format)


@router.get("/articles/{int:article_id}/sources", response={200: SourcesOut, **NOT_FOUND})
def article_sources(request: AuthedRequest, article_id: int) -> SourcesOut:
    """What the brief brings to be read. What was read in the end is `research_data` of the result."""
    sources = find(request, article_id, bodies=False).sources.defer("text")
    return SourcesOut(items=[fill(SourceOut, source) for source in sources])


@router.get("/articles/{int:article_id}/revisions", response={200: RevisionsOut, **NOT_FOUND, 422: Problem})
def article_revisions(request: AuthedRequest, article_id: int, page: Query[Page]) -> RevisionsOut:
    """The saved states of the text, newest first."""
    found = find(request, article_id, bodies=False).revisions.defer("content").select_related("saved_by")
    items = [fill(RevisionOut, revision) for revision in found[page.skip : page.skip + page.limit]]
    return RevisionsOut(items=items, count=found.count())


@router.get("/articles/{int:article_id}/revisions/{int:number}", response={200: RevisionTextOut, **NOT_FOUND})
def article_revision(request: AuthedRequest, article_id: int, number: int) -> RevisionTextOut:
    revision = find(request, article_id, bodies=False).revisions.filter(number=number).first()
    if revision is None:
        raise Http404("This article has no such revision.")
    return fill(RevisionTextOut, revision)


# From rows to shapes


def with_voices(articles: ArticleQuerySet) -> ArticleQuerySet:
    """Each with its voice, of which nothing long is read."""
    long = ("voice__description", "voice__samples", "voice__prefer", "voice__avoid")
    return articles.select_related("voice").defer(*long)


def find(request: AuthedRequest, article_id: int, *, bodies: bool = True) -> Article:
    """The article, if its asker may see it. Another's is told like one that does not exist."""
    visible = with_voices(Article.objects.visible_to(request.auth))
    try:
        return (visible if bodies else visible.without_bodies()).get(pk=article_id)
    except Article.DoesNotExist:
        raise Http404("There is no such article, or it is not yours to see.") from None


def find_own(request: AuthedRequest, article_id: int, *, to: str = "change") -> Article:
    """The article, if its asker may also change (or ``to="delete"``) it."""
    article = find(request, article_id)
    if not article.allows(request.auth, to):
        raise NotYours(f"This article is somebody else's: you may read it, but not {to} it.")
    return article


def fill(shape: type[Shape], row: Any, **worked_out: Any) -> Shape:
    """``shape`` from what ``row`` has under the same names, and from what was worked out."""
    return shape(**{name: getattr(row, name) for name in shape.model_fields if name not in worked_out}, **worked_out)


def status_out(article: Article) -> StatusOut:
    return fill(StatusOut, article, progress_percentage=article.progress)


def listed_out(request: AuthedRequest, article: Article) -> ListedOut:
    return fill(ListedOut, article, progress_percentage=article.progress, image_url=image_url(request, article))


def article_out(request: AuthedRequest, article: Article) -> ArticleOut:
    return fill(
        ArticleOut,
        article,
        progress_percentage=article.progress,
        image_url=image_url(request, article),
        revision=article.revisions.values_list("number", flat=True).first() or 0,
        cost=float(spent_on_article(article.pk).cost),
        links=links(request, article),
    )


def links(request: AuthedRequest, article: Article) -> Links:
    site = site_of(request)
    self = site + reverse("api:article_get", args=[article.pk])
    return Links(
        page=site + article.get_absolute_url(),
        status=f"{self}/status",
        result=f"{self}/result",
        events=f"{self}/events",
        socket=f"{site.replace('http', 'ws', 1)}/ws/articles/{article.pk}",
    )


def site_of(request: AuthedRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def image_url(request: AuthedRequest, article: Article) -> str | None:
    return request.build_absolute_uri(article.image_url) if article.image else None


def why_not_finished(article: Article) -> str:
    if article.status == ArticleStatus.AWAITING_APPROVAL:
        return f"This article waits for its outline to be approved. POST to /api/articles/{article.pk}/approve."
    if article.is_active:
        stands = f"{article.get_status_display().lower()}, {article.progress} %"
        return f"This article is not finished yet ({stands}). Ask again, or follow it at /ws/articles/{article.pk}."
    if article.status == ArticleStatus.FAILED:
        return f"This article failed: {article.message} Then POST to /api/articles/{article.pk}/retry."
    if article.status == ArticleStatus.PAUSED:
        return f"This article is paused. {article.message} POST to /api/articles/{article.pk}/retry to resume it."
    return f"This article was cancelled. POST to /api/articles/{article.pk}/retry to go on with it."
