"""The outline that needs approval: edited, approved or regenerated."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from articles import services
from articles.exceptions import StudioError
from articles.forms.outline import OutlineEditor, event_number, section_words
from articles.models import Article, Status
from articles.views.requests import StudioRequest, editable_article, find_article


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def outline_edit(request: StudioRequest, pk: int) -> HttpResponse:
    """The editor. Each button submits the whole form, which comes back as typed unless the action ends the editing."""
    article = editable_article(request, pk)
    if request.method != "POST" and article.status != Status.AWAITING_APPROVAL:
        messages.info(request, "This article has no outline waiting for approval.")
        return redirect(article)
    editor = (
        OutlineEditor.from_post(article, request.POST)
        if request.method == "POST"
        else OutlineEditor.from_article(article)
    )
    action = request.POST.get("do", "")
    try:
        if apply_action(article, request, editor, action):
            return redirect(article)
    except StudioError as error:
        editor.problem = str(error)
    return render(request, "articles/outline_edit.html", {"article": article, "editor": editor})


@require_POST
@login_required
def outline_words(request: StudioRequest, pk: int) -> HttpResponse:
    """The words of the sections and their sum, requested by HTMX as the outline changes. Saves nothing."""
    article = find_article(request, pk)
    shares = section_words(request.POST.getlist("words"), article.min_words)
    context = {"article": article, "shares": shares, "total": sum(shares)}
    return render(request, "articles/_outline_words.html", context)


@require_POST
@login_required
def approve_outline(request: StudioRequest, pk: int) -> HttpResponse:
    """Approve the outline unchanged, from the article's page."""
    article = editable_article(request, pk)
    seen_seq = event_number(request.POST.get("seen_seq", ""))
    try:
        services.approve_outline(article=article, by=request.user, seen_seq=seen_seq)
    except StudioError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, approval_message(article))
    return redirect(article)


def apply_action(article: Article, request: StudioRequest, editor: OutlineEditor, action: str) -> bool:
    """Perform a button's action; True if it sent the article back to the crew. Raises StudioError."""
    if action == "approve" and (outline := editor.outline()):
        services.approve_outline(article=article, by=request.user, outline=outline, seen_seq=editor.seen_seq)
        messages.success(request, approval_message(article))
        return True
    if action == "redo" and (wish := editor.wish()):
        services.regenerate_outline(article=article, by=request.user, wish=wish, seen_seq=editor.seen_seq)
        messages.success(request, "The outline is being regenerated. It will need your approval again.")
        return True
    if action not in ("approve", "redo"):
        editor.rearrange(action)
    return False


def approval_message(article: Article) -> str:
    sections = len(article.outline["sections"]) if article.outline else 0
    return f"Outline approved: {sections} sections, {article.min_words:,} words."
