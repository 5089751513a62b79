"""The text: the editor with its preview, and downloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_args

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import get_text_list
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from agents.text.markdown import count_words
from articles import services
from articles.exceptions import ExportBusy, ExportFailed, InvalidInput, InvalidState, StudioError
from articles.exports import FORMATS
from articles.exports.download import download
from articles.forms.articles import TextForm, UnsavedForm
from articles.models import Article, UnsavedText
from articles.pages.citable import citable_sources
from articles.pages.evidence import diff
from articles.rendering.markdown import to_annotated_html, undefined_references
from articles.views.requests import StudioRequest, add_refusal, editable_article, find_article, form_page
from articles.views.revisions import latest_revision_number

MAX_LISTED = 5  # labels of undefined references in a warning
CHOICE = "choice-"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def text_edit(request: StudioRequest, pk: int) -> HttpResponse:
    """The editor. If the text cannot be saved, for whatever reason, the page keeps what was typed."""
    article = editable_article(request, pk)
    kept = services.unsaved_text(article, request.user) if request.method != "POST" else None
    form, refused, conflict = TextForm(request.POST or None, initial=initial_text(article, kept)), None, None
    choices = choices_in(request.POST)
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.save_edit(article=article, by=request.user, **form.cleaned_data, choices=choices)
        except services.MergeConflict as error:
            conflict = error.merge
            form = form_with(request, title=conflict.title.merged, content=conflict.content)
            form.add_error(None, str(error))
        except StudioError as error:
            refused = add_refusal(request, form, error)
        else:
            return saved_response(request, article, saved, form.cleaned_data["opened_at"])
    if request.method == "POST":
        form = keep_refused(request, article, form)
    context = {"article": article, "form": form, "max_length": services.MAX_CONTENT, "kept": kept}
    return form_page(request, "articles/text_edit.html", context | conflict_context(conflict, choices), refused)


def saved_response(request: StudioRequest, article: Article, saved: services.SavedText, opened_at: int) -> HttpResponse:
    """Leads to the article, or stays. A page whose text is the saved one is not loaded again: it keeps what can be undone."""
    said = f"Saved as revision {saved.revision.number}: {article.word_count:,} words."
    undefined = undefined_references(article.content)
    warning = undefined_message(undefined) if undefined else ""
    stays = "stay" in request.POST
    if stays and request.htmx and saved.merge is None:
        response = HttpResponse(status=204)
        detail = {"opened_at": saved.revision.number, "message": f"{said} {warning}".strip()}
        return trigger_client_event(response, "studio:saved", detail)
    messages.success(request, format_html("{} {}", said, merge_told(saved, opened_at)))
    if warning:
        messages.warning(request, warning)
    return redirect("text_edit", article.pk) if stays else redirect(article)


def merge_told(saved: services.SavedText, opened_at: int) -> SafeString:
    """What was merged with the text, if anything was, with a link to what the other side had changed."""
    merge = saved.merge
    if merge is None or merge.newest == saved.revision:
        return SafeString("")
    taken = (
        f"{merge.taken} change{'' if merge.taken == 1 else 's'} taken over." if merge.taken else "nothing to take over."
    )
    query = {"before": opened_at, "after": merge.newest.number}
    compare = reverse("revision_compare", args=[saved.revision.article_id], query=query)
    said = '<span>It was merged with revision {} by {}: {}</span> <a href="{}">See what they changed</a>'
    return format_html(said, merge.newest.number, merge.newest.author, taken, compare)


def initial_text(article: Article, kept: UnsavedText | None) -> dict[str, object]:
    """What the editor shows at first: the draft, if there is one."""
    newest = latest_revision_number(article)
    if kept is None:
        return {"title": str(article), "content": article.content, "opened_at": newest}
    return {"title": kept.title, "content": kept.content, "opened_at": kept.opened_at, "version": kept.version}


def form_with(request: StudioRequest, **values: str) -> TextForm:
    """The form as it was sent, with other values."""
    form = TextForm({**request.POST.dict(), **values})
    form.is_valid()
    return form


def keep_refused(request: StudioRequest, article: Article, form: TextForm) -> TextForm:
    """Store what could not be saved as a draft, also for browsers without JavaScript. Returns the form that knows it."""
    typed = UnsavedForm(form.data)
    if not typed.is_valid():
        return form
    try:
        kept = services.keep_unsaved(article=article, by=request.user, **typed.cleaned_data)
    except (InvalidInput, services.ChangedElsewhere):
        return form  # the page still has it
    form.data = {**form.data, "version": str(kept.version)}
    return form


def choices_in(sent: QueryDict) -> dict[str, services.Choice]:
    """What was chosen for each conflict, by its key."""
    chosen = {name.removeprefix(CHOICE): value for name, value in sent.items() if name.startswith(CHOICE)}
    return {key: cast("services.Choice", value) for key, value in chosen.items() if value in get_args(services.Choice)}


def conflict_context(merge: services.TextMerge | None, choices: Mapping[str, str]) -> dict[str, object]:
    """Each conflict with the field of its choice and what both sides changed."""
    if merge is None:
        return {}
    rows = [
        {
            "name": f"{CHOICE}{region.key}",
            "is_title": region is merge.title,
            "chosen": choices.get(region.key, ""),
            "mine": diff(region.base, region.mine),
            "theirs": diff(region.base, region.theirs),
        }
        for region in merge.conflicts
    ]
    return {"merge": merge, "conflicts": rows}


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
def text_sources(request: StudioRequest, pk: int) -> HttpResponse:
    """What the editor offers to cite, as JSON."""
    return JsonResponse({"sources": citable_sources(find_article(request, pk))})


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
