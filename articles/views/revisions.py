"""The revisions of an article's text: list, comparison, restoring, names."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from agents.text.markdown import count_words
from articles import services
from articles.exceptions import InvalidInput, StudioError
from articles.models import Article, Revision
from articles.pages.origins import OriginsView
from articles.pages.revisions import ComparisonView, article_revision, summary_of_revision
from articles.rendering.markdown import to_html, undefined_references
from articles.views.requests import StudioRequest, editable_article, find_article

PAGE_LENGTH = 20


@require_safe
@login_required
def revision_list(request: StudioRequest, pk: int) -> HttpResponse:
    article = find_article(request, pk)
    found = article.revisions.select_related("saved_by").defer("content")
    page = Paginator(found, PAGE_LENGTH).get_page(request.GET.get("page"))
    context = {
        "article": article,
        "page": page,
        "rows": [(revision, summary_of_revision(revision)) for revision in page],
        "newest": latest_revision_number(article),
    }
    return render(request, "articles/revision_list.html", context)


@require_safe
@login_required
def revision_detail(request: StudioRequest, pk: int, number: int) -> HttpResponse:
    article = find_article(request, pk)
    revision = get_object_or_404(article.revisions.select_related("saved_by"), number=number)
    context = {
        "article": article,
        "revision": revision,
        "summary": summary_of_revision(revision),
        "body": to_html(revision.content, language=article.language),
        "words": count_words(revision.content),
        "newest": latest_revision_number(article),
        "may_change": article.allows(request.user, to="change"),
        "max_name": services.MAX_NAME,
    }
    return render(request, "articles/revision_detail.html", context)


@require_safe
@login_required
def article_origins(request: StudioRequest, pk: int) -> HttpResponse:
    """Who wrote what in the newest revision."""
    article = find_article(request, pk)
    newest = article.revisions.first()
    if newest is None:
        raise Http404("This article has no text yet.")
    return render(request, "articles/article_origins.html", {"article": article, "view": OriginsView(newest)})


@require_safe
@login_required
def revision_compare(request: StudioRequest, pk: int) -> HttpResponse:
    """What changed between ``?before=`` and ``?after=``, by default between the newest revision and the one before it."""
    article = find_article(request, pk)
    newest = latest_revision_number(article)
    after = number_in(request, "after", newest)
    before = number_in(request, "before", max(after - 1, 1))
    older, newer = (article_revision(article, number) for number in sorted((before, after)))
    if older is None or newer is None:
        raise Http404("This article has no such revision.")
    can_restore = newer.number == newest != older.number and not article.is_active
    context = {
        "article": article,
        "view": ComparisonView(older, newer),
        "side_by_side": request.GET.get("view") == "sides",
        "revisions": article.revisions.select_related("saved_by").defer("content"),
        "newest": newest,
        "can_restore": can_restore and article.allows(request.user, to="change"),
    }
    return render(request, "articles/revision_compare.html", context)


def number_in(request: StudioRequest, name: str, default: int) -> int:
    value = request.GET.get(name, "")
    return int(value) if value.isdecimal() and len(value) <= 9 else default


@require_POST
@login_required
def restore_revision(request: StudioRequest, pk: int, number: int) -> HttpResponse:
    """Save an earlier text as the next revision."""
    article = editable_article(request, pk)
    revision = get_object_or_404(article.revisions, number=number)
    try:
        saved = services.restore_revision(
            article=article, by=request.user, revision=revision, opened_at=latest_revision_number(article)
        )
    except StudioError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Restored revision {number} (saved as revision {saved.number}).")
    return redirect(article)


@require_POST
@login_required
def restore_change(request: StudioRequest, pk: int, number: int) -> HttpResponse:
    """Undo one change since revision ``number``: ``change`` of its comparison with ``revision``, or the ``title``."""
    article = editable_article(request, pk)
    revision = get_object_or_404(article.revisions, number=number)
    change, opened_at = request.POST.get("change", ""), request.POST.get("revision", "")
    compared = newer = int(opened_at) if opened_at.isdecimal() and len(opened_at) <= 9 else 0
    try:
        saved = services.restore_changes(
            article=article,
            by=request.user,
            revision=revision,
            opened_at=newer,
            changes=[int(change)] if change.isdecimal() and len(change) <= 9 else [],
            title="title" in request.POST,
        )
    except InvalidInput as error:
        messages.error(request, " ".join(text for texts in error.fields.values() for text in texts))
    except StudioError as error:
        messages.error(request, str(error))
    else:
        compared = saved.number
        what = "title" if "title" in request.POST else "passage"
        messages.success(request, f"Restored the {what} of revision {number} (saved as revision {saved.number}).")
        warn_of_undefined(request, saved)
    query = {"before": number, "after": compared} | ({"view": "sides"} if "sides" in request.POST else {})
    return redirect(reverse("revision_compare", args=[pk], query=query))


def warn_of_undefined(request: StudioRequest, saved: Revision) -> None:
    if undefined := undefined_references(saved.content):
        marks = ", ".join(f"[^{label}]" for label in undefined[:5])
        messages.warning(request, f"The text cites footnotes it does not have: {marks}.")


@require_POST
@login_required
def name_revision(request: StudioRequest, pk: int, number: int) -> HttpResponse:
    article = editable_article(request, pk)
    revision = get_object_or_404(article.revisions, number=number)
    try:
        services.name_revision(revision=revision, name=request.POST.get("name", ""))
    except InvalidInput as error:
        messages.error(request, " ".join(text for texts in error.fields.values() for text in texts))
    else:
        messages.success(request, f"Named “{revision.name}”." if revision.name else "The name was removed.")
    return redirect("revision_detail", pk, number)


def latest_revision_number(article: Article) -> int:
    """The number of the newest revision; 0 if there is none."""
    return article.revisions.values_list("number", flat=True).first() or 0
