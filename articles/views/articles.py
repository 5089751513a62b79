"""The article list, the brief, and an article's page with its live updates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from agents import samples
from agents.contract import BriefFields
from articles.exceptions import StudioError
from articles.forms.articles import ListForm
from articles.forms.brief import BriefSubmission
from articles.models import Article, Source
from articles.pages import ArticleView
from articles.pages.fragments import fragments
from articles.services import change_brief_and_start, copied_sources, create_article, unsaved_text
from articles.views.costs import cost_context
from articles.views.requests import StudioRequest, add_refusal, editable_article, find_article, form_page

PAGE_LENGTH = 20
TITLES = 8
LARGEST_SEQ = 2**31 - 1


@require_safe
@login_required
def article_list(request: StudioRequest) -> HttpResponse:
    """The user's articles. HTMX, which searches while the user types and polls running rows, gets the results alone."""
    form = ListForm(request.GET)
    mine = Article.objects.visible_to(request.user)
    found = mine.search(form.value_of("q"))
    if status := form.value_of("status"):
        found = found.filter(status=status)
    rows = found.without_large_fields().select_related("owner").in_order(form.value_of("order") or "newest")
    page = Paginator(rows, PAGE_LENGTH)
    filters = request.GET.copy()
    filters.pop("page", None)
    waiting = mine.awaiting_approval().count()
    context = {
        "form": form,
        "empty_reason": empty_reason(form.value_of("q"), form.value_of("status")),
        "page": page.get_page(request.GET.get("page")),
        "filters": filters.urlencode(),
        "total": mine.count(),
        "running": mine.running().count() - waiting,
        "waiting": waiting,
    }
    partial = request.htmx and not request.htmx.history_restore_request
    return render(request, f"articles/{'_results' if partial else 'article_list'}.html", context)


@require_safe
@login_required
def article_titles(request: StudioRequest) -> HttpResponse:
    """The first articles whose title contains the words of ``?q=``, as options of the command palette."""
    found = Article.objects.visible_to(request.user).search(request.GET.get("q", "")[:200])
    context = {"articles": found.only("title", "topic", "status").in_order("changed")[:TITLES]}
    return render(request, "articles/_titles.html", context)


def empty_reason(query: str, status: str) -> str:
    """Why a list with these filters is empty."""
    if query and status:
        return f"No article with this status has “{query}” in its title or topic."
    return f"No title or topic contains “{query}”." if query else "No article has this status."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def article_new(request: StudioRequest) -> HttpResponse:
    """The brief. With HTMX only the form is swapped when it has errors, so that chosen documents stay chosen."""
    submission, refused = BriefSubmission(request), None
    if request.method == "POST" and submission.is_valid():
        try:
            article = create_article(by=request.user, brief=submission.form.brief, sources=submission.sources())
        except StudioError as error:
            refused = add_refusal(request, submission.form, error)
        else:
            return redirect(article)
    context = brief_context(submission, request.user, request.user)
    return form_page(request, f"articles/{'_brief_form' if request.htmx else 'article_new'}.html", context, refused)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def duplicate_brief(request: StudioRequest, pk: int) -> HttpResponse:
    """A new article from the brief and the sources of another one."""
    original = find_article(request, pk)
    sources = list(original.sources.all())
    removed = removed_sources(request, sources)
    copied = [source for source in sources if source.pk not in removed]
    submission = BriefSubmission(request, initial=brief_values(original), stored_sources=len(copied))
    refused = None
    if request.method == "POST" and submission.is_valid():
        try:
            given = [*copied_sources(copied), *submission.sources()]
            article = create_article(by=request.user, brief=submission.form.brief, sources=given)
        except StudioError as error:
            refused = add_refusal(request, submission.form, error)
        else:
            return redirect(article)
    context = brief_context(submission, request.user, request.user)
    context |= {"original": original, "stored_sources": sources, "removed": removed}
    return form_page(request, f"articles/{'_brief_form' if request.htmx else 'brief_duplicate'}.html", context, refused)


def removed_sources(request: StudioRequest, sources: Iterable[Source]) -> set[int]:
    """The ids of the sources that a person ticked to be left out."""
    return {source.pk for source in sources} & {int(id) for id in request.POST.getlist("remove") if id.isdecimal()}


def brief_context(submission: BriefSubmission, owner: User, reader: User) -> dict[str, Any]:
    context = {
        "form": submission.form,
        "texts": submission.texts,
        "invalid_fields": submission.invalid_fields(),
        "has_model": settings.HAS_MODEL,
        "max_sources": settings.MAX_SOURCES,
        **cost_context(submission.form, owner, reader),
    }
    return context if settings.HAS_MODEL else {**context, "sample_titles": samples.titles()}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def write_again(request: StudioRequest, pk: int) -> HttpResponse:
    """The brief of an article, to be changed before it is written again. Nothing starts, or is lost, until it is sent."""
    article = editable_article(request, pk)
    if request.method != "POST" and article.is_active:
        messages.info(request, "This article is being written. Cancel it first, or wait until it is done.")
        return redirect(article)
    sources = list(article.sources.all())
    removed = removed_sources(request, sources)
    submission = BriefSubmission(request, initial=brief_values(article), stored_sources=len(sources) - len(removed))
    refused = None
    if request.method == "POST" and submission.is_valid():
        try:
            change_brief_and_start(
                article=article,
                by=request.user,
                brief=submission.form.brief,
                add=submission.sources(),
                remove=removed,
            )
        except StudioError as error:
            refused = add_refusal(request, submission.form, error)
        else:
            return redirect(article)
    context = brief_context(submission, article.owner, request.user)
    context |= {"article": article, "stored_sources": sources, "removed": removed}
    return form_page(request, f"articles/{'_brief_form' if request.htmx else 'write_again'}.html", context, refused)


def brief_values(article: Article) -> dict[str, Any]:
    """The article's brief as initial values of the form."""
    values: dict[str, Any] = {name: getattr(article, name) for name in BriefFields.model_fields}
    return values | {"keywords": ", ".join(article.keywords), "voice": article.voice.name if article.voice else ""}


@require_safe
@login_required
def article_detail(request: StudioRequest, pk: int) -> HttpResponse:
    found = Article.objects.visible_to(request.user).select_related("owner", "voice")
    article = get_object_or_404(found, pk=pk)
    context = {
        "article": article,
        "view": ArticleView(article),
        "unsaved": unsaved_text(article, request.user),
    }
    return render(request, "articles/article_detail.html", context)


@require_safe
@login_required
def article_evidence(request: StudioRequest, pk: int) -> HttpResponse:
    """The evidence of an article: its panel for HTMX, when its tab is first opened, and a page of its own for others."""
    article = find_article(request, pk)
    context = {"article": article, "view": ArticleView(article)}
    return render(request, f"articles/{'_evidence' if request.htmx else 'article_evidence'}.html", context)


@require_safe
@login_required
def article_live(request: StudioRequest, pk: int) -> HttpResponse:
    """What changed since ``?after=<seq>``, as the socket would send it, for pages that cannot open one."""
    article = find_article(request, pk)
    after = request.GET.get("after", "")
    # At most 18 digits, as for the socket: Python refuses to convert thousands of them.
    seen = min(int(after), LARGEST_SEQ) if after.isdecimal() and len(after) <= 18 else 0
    events = article.events_after(seen)
    return HttpResponse(fragments(article, events)) if events else HttpResponse(status=204)
