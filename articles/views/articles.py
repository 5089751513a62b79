"""The article list, the brief, and an article's page with its live updates."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from agents import samples
from articles.exceptions import StudioError
from articles.forms.articles import ListForm
from articles.forms.brief import BriefSubmission
from articles.models import Article
from articles.pages import ArticleView
from articles.pages.fragments import fragments
from articles.services import create_article
from articles.views.costs import estimate_for
from articles.views.requests import StudioRequest, find_article

PAGE_LENGTH = 20
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


def empty_reason(query: str, status: str) -> str:
    """Why a list with these filters is empty."""
    if query and status:
        return f"No article with this status has “{query}” in its title or topic."
    return f"No title or topic contains “{query}”." if query else "No article has this status."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def article_new(request: StudioRequest) -> HttpResponse:
    """The brief. With HTMX only the form is swapped when it has errors, so that chosen documents stay chosen."""
    submission = BriefSubmission(request)
    form, texts = submission.form, submission.texts
    if request.method == "POST" and submission.is_valid():
        try:
            article = create_article(by=request.user, brief=form.brief, sources=submission.sources())
        except StudioError as error:
            form.add_error(None, str(error))
        else:
            return redirect(article)
    context = {
        "form": form,
        "texts": texts,
        "invalid_fields": submission.invalid_fields(),
        "has_model": settings.HAS_MODEL,
        "max_sources": settings.MAX_SOURCES,
        "estimate": estimate_for(form),
    }
    if not settings.HAS_MODEL:
        context["sample_titles"] = samples.titles()
    return render(request, f"articles/{'_brief_form' if request.htmx else 'article_new'}.html", context)


@require_safe
@login_required
def article_detail(request: StudioRequest, pk: int) -> HttpResponse:
    article = find_article(request, pk)
    return render(request, "articles/article_detail.html", {"article": article, "view": ArticleView(article)})


@require_safe
@login_required
def article_live(request: StudioRequest, pk: int) -> HttpResponse:
    """What changed since ``?after=<seq>``, as the socket would send it, for pages that cannot open one."""
    article = find_article(request, pk)
    after = request.GET.get("after", "")
    seen = min(int(after), LARGEST_SEQ) if after.isdecimal() else 0
    events = article.events_after(seen)
    return HttpResponse(fragments(article, events)) if events else HttpResponse(status=204)
