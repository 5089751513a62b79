"""The text: the editor with its preview, and downloads."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_text_list
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.text.markdown import count_words
from articles import services
from articles.exceptions import EditConflict, ExportBusy, ExportFailed, InvalidInput, InvalidState, StudioError
from articles.exports import FORMATS
from articles.exports.download import download
from articles.forms.articles import TextForm, UnsavedForm
from articles.models import Article, UnsavedText
from articles.rendering.markdown import to_annotated_html, undefined_references
from articles.views.requests import StudioRequest, add_refusal, editable_article, find_article, form_page
from articles.views.revisions import latest_revision_number

MAX_LISTED = 5  # labels of undefined references in a warning


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def text_edit(request: StudioRequest, pk: int) -> HttpResponse:
    """The editor. If the text cannot be saved, for whatever reason, the page keeps what was typed."""
    article = editable_article(request, pk)
    kept = services.unsaved_text(article, request.user) if request.method != "POST" else None
    form, refused = TextForm(request.POST or None, initial=initial_text(article, kept)), None
    if request.method == "POST" and form.is_valid():
        try:
            revision = services.save_edited(article=article, by=request.user, **form.cleaned_data)
        except EditConflict as error:
            form.add_error(None, f"{error} Your version is still in the editor below.")
        except StudioError as error:
            refused = add_refusal(request, form, error)
        else:
            messages.success(request, f"Saved as revision {revision.number}: {article.word_count:,} words.")
            if undefined := undefined_references(article.content):
                messages.warning(request, undefined_message(undefined))
            return redirect(
                "text_edit" if "stay" in request.POST else article, *([pk] if "stay" in request.POST else [])
            )
    if request.method == "POST":
        keep_refused(request, article, form)
    context = {"article": article, "form": form, "max_length": services.MAX_CONTENT, "kept": kept}
    return form_page(request, "articles/text_edit.html", context, refused)


def initial_text(article: Article, kept: UnsavedText | None) -> dict[str, object]:
    """What the editor shows at first: the draft, if there is one."""
    newest = latest_revision_number(article)
    if kept is None:
        return {"title": str(article), "content": article.content, "opened_at": newest}
    return {"title": kept.title, "content": kept.content, "opened_at": kept.opened_at, "version": kept.version}


def keep_refused(request: StudioRequest, article: Article, form: TextForm) -> None:
    """Store what could not be saved as a draft, also for browsers without JavaScript, and let the form know it."""
    typed = UnsavedForm(request.POST)
    if not typed.is_valid():
        return
    try:
        kept = services.keep_unsaved(article=article, by=request.user, **typed.cleaned_data)
    except (InvalidInput, services.ChangedElsewhere):
        return  # the page still has it
    form.data = {**request.POST.dict(), "version": str(kept.version)}


@require_POST
@login_required
def text_preview(request: StudioRequest, pk: int) -> HttpResponse:
    """The editor's text as readers would see it. Saves nothing."""
    article = find_article(request, pk)
    content = request.POST.get("content", "")[: services.MAX_CONTENT]
    rendered = to_annotated_html(content, [], language=article.language)
    context = {
        "article": article,
        "body": rendered.html,
        "words": count_words(content),
        "warning": undefined_message(rendered.undefined) if rendered.undefined else "",
    }
    return render(request, "articles/_preview.html", context)


@require_safe
@login_required
def article_download(request: StudioRequest, pk: int, format: str) -> HttpResponse:
    article = find_article(request, pk)
    if format not in FORMATS:
        raise Http404("Unknown format.")
    try:
        return download(article, format, by=request.user.pk)
    except (ExportBusy, ExportFailed, InvalidState) as error:
        messages.error(request, str(error))
    return redirect(article)


def undefined_message(labels: list[str]) -> str:
    """A warning about references without a footnote."""
    marks = [f"[^{label}]" for label in labels[:MAX_LISTED]]
    if len(labels) > MAX_LISTED:
        marks.append(f"{len(labels) - MAX_LISTED} more")
    have = "has" if len(labels) == 1 else "have"
    return (
        f"{get_text_list(marks, 'and')} {have} no footnote. Add a line such as “[^{labels[0]}]: Title of the source”."
    )
