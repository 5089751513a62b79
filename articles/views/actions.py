"""Actions on an article, each of one service: cancel, retry, keep the text, delete."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from articles import services
from articles.exceptions import InvalidState
from articles.views.requests import StudioRequest, editable_article


def run_service(service: Callable[..., object], request: StudioRequest, pk: int) -> HttpResponse:
    """Call ``service`` for the article and go back to its page, with the error as a message if it failed."""
    article = editable_article(request, pk)
    try:
        service(article=article, by=request.user)
    except InvalidState as error:
        messages.error(request, str(error))
    return redirect(article)


@require_POST
@login_required
def cancel_run(request: StudioRequest, pk: int) -> HttpResponse:
    return run_service(services.cancel_run, request, pk)


@require_POST
@login_required
def retry_run(request: StudioRequest, pk: int) -> HttpResponse:
    """Continue the latest run where it stopped."""
    return run_service(services.retry_run, request, pk)


@require_POST
@login_required
def keep_text(request: StudioRequest, pk: int) -> HttpResponse:
    """Give up the unfinished new text; the article is completed with its earlier one."""
    return run_service(services.keep_text, request, pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_article(request: StudioRequest, pk: int) -> HttpResponse:
    """Ask, then delete. With JavaScript a dialog asks; without it, this page does."""
    article = editable_article(request, pk, to="delete")
    if request.method != "POST":
        return render(request, "articles/article_delete.html", {"article": article})
    name = str(article)
    services.delete_article(article=article, by=request.user)
    messages.success(request, f"“{name}” was deleted.")
    return redirect("article_list")
