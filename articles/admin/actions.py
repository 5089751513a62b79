"""Bulk actions on articles. Each reports how many succeeded and why the others were refused."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TypeAlias

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from articles import services
from articles.costs.reports import total_estimate
from articles.exceptions import StudioError
from articles.exports import FORMATS, filename
from articles.exports.download import download
from articles.models import Article
from articles.models.status import ACTIVE

MAX_DOWNLOADS = 20
"""Files in one archive. A PDF takes about half a second, and the browser waits for all of them."""

Admin: TypeAlias = "admin.ModelAdmin[Article]"
Action = Callable[[Admin, HttpRequest, QuerySet[Article]], HttpResponse | None]


def signed_in(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "the admin requires sign-in"
    return request.user


def do_to_each(request: HttpRequest, articles: Iterable[Article], act: Callable[[Article], object], done: str) -> None:
    """Calls ``act`` with each article and reports the result; ``done`` describes success, such as "Approved"."""
    count = 0
    refused: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        try:
            act(article)
        except StudioError as reason:
            refused[str(reason)].append(f"“{article}”")
        else:
            count += 1
    if count:
        messages.success(request, f"{done}: {count}.")
    for message, names in refused.items():
        messages.warning(request, f"{', '.join(names)}: {message}")


@admin.action(permissions=["change"], description="Write again from the brief …")
def write_again(modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article]) -> HttpResponse | None:
    """Shows the estimated cost and asks first, unless all of the articles are being written already."""
    startable = articles.exclude(status__in=ACTIVE)
    if startable and not request.POST.get("post"):
        return confirmation(modeladmin, request, articles, startable)
    by = signed_in(request)
    do_to_each(request, articles, lambda article: services.start_run(article=article, by=by), "Started")
    return None


def confirmation(
    modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article], startable: QuerySet[Article]
) -> HttpResponse:
    """The page that sends the action again, with ``post``, as Django's page before deleting does."""
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": "Write again from the brief",
        "opts": modeladmin.opts,
        "articles": articles,
        "startable": startable,
        "estimate": total_estimate(startable),
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/articles/write_again.html", context)


@admin.action(permissions=["change"], description="Continue from where it stopped")
def try_again(modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article]) -> None:
    by = signed_in(request)
    do_to_each(request, articles, lambda article: services.retry_run(article=article, by=by), "Continued")


@admin.action(permissions=["change"], description="Keep the finished text")
def keep_text(modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article]) -> None:
    by = signed_in(request)
    do_to_each(request, articles, lambda article: services.keep_text(article=article, by=by), "Kept")


@admin.action(permissions=["change"], description="Approve outline")
def approve(modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article]) -> None:
    by = signed_in(request)
    do_to_each(request, articles, lambda article: services.approve_outline(article=article, by=by), "Approved")


@admin.action(permissions=["change"], description="Cancel")
def cancel(modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article]) -> None:
    by = signed_in(request)
    do_to_each(request, articles, lambda article: services.cancel_run(article=article, by=by), "Cancelled")


def downloading(format: str) -> Action:
    """The action that downloads articles as ``format``: one as a file, several as a ZIP archive."""

    @admin.action(permissions=["view"], description=f"Download as {FORMATS[format].label}")
    def download_selected(modeladmin: Admin, request: HttpRequest, articles: QuerySet[Article]) -> HttpResponse | None:
        if articles.count() > MAX_DOWNLOADS:
            messages.error(request, f"Select at most {MAX_DOWNLOADS} articles to download at once.")
            return None
        files: dict[str, HttpResponse] = {}

        def add(article: Article) -> None:
            files[f"{article.pk}-{filename(str(article), format)}"] = download(
                article, format, by=signed_in(request).pk
            )

        do_to_each(request, articles.defer(None).select_related("owner"), add, "Downloaded")
        if len(files) > 1:
            return zipped(files)
        return next(iter(files.values()), None)

    download_selected.__name__ = f"download_{format}"
    return download_selected


def zipped(files: dict[str, HttpResponse]) -> HttpResponse:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, file in files.items():
            writer.writestr(name, file.content)
    headers = {"Content-Disposition": 'attachment; filename="articles.zip"'}
    return HttpResponse(archive.getvalue(), "application/zip", headers=headers)


DOWNLOADS = [downloading(format) for format in FORMATS]
