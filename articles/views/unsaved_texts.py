"""Drafts that the editor stores every few seconds."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from articles import services
from articles.exceptions import InvalidInput
from articles.forms.articles import UnsavedForm, VersionForm
from articles.views.requests import StudioRequest, editable_article


@require_POST
@login_required
def keep_unsaved_text(request: StudioRequest, pk: int) -> HttpResponse:
    """Store the draft; its new version. 409 with the stored text if another tab has changed it."""
    article = editable_article(request, pk)
    form = UnsavedForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"detail": str(form.errors)}, status=422)
    try:
        kept = services.keep_unsaved(article=article, by=request.user, **form.cleaned_data)
    except InvalidInput as error:
        return JsonResponse({"detail": str(error)}, status=422)
    except services.ChangedElsewhere as error:
        kept = error.kept
        text = {"title": kept.title, "content": kept.content, "opened_at": kept.opened_at}
        stored = {"version": kept.version, "kept_at": kept.kept_at}
        return JsonResponse({"detail": str(error), **stored, **text}, status=409)
    return JsonResponse({"version": kept.version, "kept_at": kept.kept_at})


@require_POST
@login_required
def discard_unsaved_text(request: StudioRequest, pk: int) -> HttpResponse:
    """Delete the draft, and open the editor again with the saved text, or with what another tab has stored since."""
    article = editable_article(request, pk)
    form = VersionForm(request.POST)
    if form.is_valid():
        services.discard_unsaved(article=article, by=request.user, version=form.cleaned_data["version"])
    return redirect("text_edit", pk)
