"""The revisions of an article's text."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from agents.text.markdown import count_words
from articles import services
from articles.exceptions import StudioError
from articles.models import Article
from articles.rendering.markdown import to_html
from articles.views.requests import StudioRequest, editable_article, find_article


@require_safe
@login_required
def revision_list(request: StudioRequest, pk: int) -> HttpResponse:
    article = find_article(request, pk)
    revisions = article.revisions.select_related("saved_by").defer("content")
    return render(request, "articles/revision_list.html", {"article": article, "revisions": revisions})


@require_safe
@login_required
def revision_detail(request: StudioRequest, pk: int, number: int) -> HttpResponse:
    article = find_article(request, pk)
    revision = get_object_or_404(article.revisions.select_related("saved_by"), number=number)
    context = {
        "article": article,
        "revision": revision,
        "body": to_html(revision.content, language=article.language),
        "words": count_words(revision.content),
        "newest": latest_revision_number(article),
    }
    return render(request, "articles/revision_detail.html", context)


@require_POST
@login_required
def restore_revision(request: StudioRequest, pk: int, number: int) -> HttpResponse:
    """Save an earlier text as the next revision."""
    article = editable_article(request, pk)
    revision = get_object_or_404(article.revisions, number=number)
    try:
        saved = services.save_text(
            article=article,
            by=request.user,
            title=revision.title,
            content=revision.content,
            opened_at=latest_revision_number(article),
        )
    except StudioError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Restored revision {number} (saved as revision {saved.number}).")
    return redirect(article)


def latest_revision_number(article: Article) -> int:
    """The number of the newest revision; 0 if there is none."""
    return article.revisions.values_list("number", flat=True).first() or 0
