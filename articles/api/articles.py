"""Endpoints for articles: create, list, read, edit, delete, export."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import HttpResponse
from ninja import Query, Router, Status

from articles.api.requests import AuthedRequest, find, find_in, find_own, with_totals, with_voices
from articles.api.responses import (
    CONFLICT,
    INVALID,
    LISTED_COLUMNS,
    NOT_FOUND,
    OWN,
    article_out,
    fill,
    json_response,
    listed_out,
    site_of,
    status_out,
)
from articles.api.results import result_body
from articles.api.schemas.articles import (
    ActiveOut,
    ArticleOut,
    BriefIn,
    ListIn,
    ListOut,
    Problem,
    ResultOut,
    SourceOut,
    SourcesOut,
    StatusOut,
    TaskOut,
    TextIn,
    as_new_sources,
)
from articles.api.schemas.edits import EditConflictOut, EditedOut
from articles.exports import FORMATS
from articles.exports.download import download
from articles.models import Article
from articles.services import MergeConflict, create_article, delete_article, save_edit

router = Router(tags=["articles"])

NOT_SHOWN = ("outline", "seo_meta", "research_data", "references")
FILE = {"schema": {"type": "string", "format": "binary"}}
EXPORTS = {
    "description": "The file, sent as one of the other types",
    # application/octet-stream comes first because generated clients may read the first type they know: text would be decoded.
    "content": dict.fromkeys(
        ["application/octet-stream", *(kind.media_type.partition(";")[0] for kind in FORMATS.values())], FILE
    ),
}
# Built once: building the first queryset for each request took a third of the request's CPU time.
SHOWN_ARTICLES = with_totals(with_voices(Article.objects.defer(*NOT_SHOWN)))
STATUSES = Article.objects.only("status", "current_agent", "progress", "message")
MAX_TASKS = 100  # tasks in one response; the count covers all


@router.post("/articles/create", response={201: ArticleOut, **INVALID})
def article_create(request: AuthedRequest, brief: BriefIn) -> Status[ArticleOut]:
    """Create an article from a brief. It is `pending` until a worker is free."""
    article = create_article(by=request.auth, brief=brief, sources=as_new_sources(brief.sources))
    return Status(201, article_out(request, article))


@router.get("/articles/", response={200: ListOut, **INVALID})
@router.get("/articles", response={200: ListOut, **INVALID}, include_in_schema=False)
def article_list(request: AuthedRequest, filters: Query[ListIn]) -> HttpResponse:
    """List your articles, without their texts. `count` is the number of all matches."""
    found = Article.objects.visible_to(request.auth).search(filters.q)
    if filters.status:
        found = found.filter(status=filters.status)
    # Sorts ids, then reads one page of rows: sorting whole rows would read the text of every matching article.
    ids = found.in_order(filters.order).values("pk")[filters.skip : filters.skip + filters.limit]
    rows = Article.objects.filter(pk__in=ids).in_order(filters.order).values(*LISTED_COLUMNS)
    media_url = site_of(request) + default_storage.url("")
    items = [listed_out(media_url, row) for row in rows]
    is_last = len(items) < filters.limit and (items or not filters.skip)
    count = filters.skip + len(items) if is_last else found.count()
    return json_response(request, ListOut.model_construct(items=items, count=count))


@router.get("/articles/active/tasks", response={200: ActiveOut, 401: Problem})
def active_tasks(request: AuthedRequest) -> HttpResponse:
    """List articles in progress or waiting, newest first."""
    running = Article.objects.visible_to(request.auth).running()
    rows = running.without_large_fields()[:MAX_TASKS]
    tasks = [fill(TaskOut, article, progress_percentage=article.progress) for article in rows]
    count = running.count() if len(tasks) == MAX_TASKS else len(tasks)
    return json_response(request, ActiveOut.model_construct(active_count=count, tasks=tasks))


@router.get("/articles/{int:article_id}", response={200: ArticleOut, **NOT_FOUND})
def article_get(request: AuthedRequest, article_id: int) -> HttpResponse:
    """Get an article with its text."""
    return json_response(request, article_out(request, find_in(SHOWN_ARTICLES, request, article_id)))


@router.get("/articles/{int:article_id}/status", response={200: StatusOut, **NOT_FOUND})
def article_status(request: AuthedRequest, article_id: int) -> HttpResponse:
    """Get the status and the progress of an article."""
    return json_response(request, status_out(find_in(STATUSES, request, article_id)))


@router.get("/articles/{int:article_id}/result", response={200: ResultOut, **CONFLICT})
def article_result(request: AuthedRequest, article_id: int) -> HttpResponse:
    """Get the finished article with everything made for it; 409 while there is no finished text, with what to do."""
    return result_body(request, article_id).response(request)


@router.patch("/articles/{int:article_id}", response={200: EditedOut, **OWN, 409: EditConflictOut, 422: Problem})
def article_edit(request: AuthedRequest, article_id: int, text: TextIn) -> EditedOut | Status[EditConflictOut]:
    """Save an edited title or text as the next revision, merged with newer revisions.

    409 if it cannot be merged because both changed the same sentences: save your text again with `revision` of the answer.
    """
    article = find_own(request, article_id)
    title = article.title if text.title is None else text.title
    content = article.content if text.content is None else text.content
    try:
        saved = save_edit(article=article, by=request.auth, title=title, content=content, opened_at=text.revision)
    except MergeConflict as error:
        return Status(409, EditConflictOut.of(error))
    merged = saved.merge.newest.number if saved.merge else None
    return EditedOut.model_construct(**vars(article_out(request, article)), merged_with=merged)


@router.delete("/articles/{int:article_id}", response={204: None, **OWN})
def article_delete(request: AuthedRequest, article_id: int) -> Status[None]:
    """Delete an article with its history and files. A run in progress is cancelled first."""
    delete_article(article=find_own(request, article_id, to="delete"), by=request.auth)
    return Status(204, None)


@router.get(
    "/articles/{int:article_id}/export/{format}",
    response={**CONFLICT, 429: Problem, 500: Problem},
    openapi_extra={"responses": {200: EXPORTS}},
)
def article_export(request: AuthedRequest, article_id: int, format: str) -> HttpResponse:
    """Download the article as a file: `md`, `html`, `pdf`, `docx` or `epub`."""
    return download(find(request, article_id), format, by=request.auth.pk)


@router.get("/articles/{int:article_id}/sources", response={200: SourcesOut, **NOT_FOUND})
def article_sources(request: AuthedRequest, article_id: int) -> SourcesOut:
    """List the sources of the brief. What was actually read is `research_data` of the result."""
    sources = find(request, article_id, bodies=False).sources.without_texts()
    return SourcesOut(items=[fill(SourceOut, source) for source in sources])
