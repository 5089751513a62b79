"""Responds with an article as a file, for pages, the API and the admin."""

from __future__ import annotations

import logging

from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from articles.exceptions import ExportFailed, InvalidState
from articles.exports import FORMATS, Document, export, filename
from articles.exports.concurrency import export_slot
from articles.models import Article
from articles.quotas.rates import count_export
from articles.seo import byline, json_ld, open_graph, script_safe, seo_of

log = logging.getLogger(__name__)


def download(article: Article, format: str, *, by: int) -> HttpResponse:
    """The file, as an attachment, for the user with the id ``by``.

    Raises Http404 for an unknown format, InvalidState without a text, ExportBusy while too many exports run, QuotaReached,
    ExportFailed.
    """
    if format not in FORMATS:
        raise Http404(f"There is no such export. Ask for one of: {', '.join(FORMATS)}.")
    if not article.content:
        raise InvalidState("There is no text to export yet. Wait until the article is finished.")
    disposition = content_disposition_header(True, filename(str(article), format))
    headers = {"Content-Disposition": disposition or "attachment", "X-Content-Type-Options": "nosniff"}
    count_export(by)
    document = document_of(article, with_cover=format != "md")
    with export_slot(by):
        content = export(document, format)
    return HttpResponse(content, FORMATS[format].media_type, headers=headers)


def document_of(article: Article, *, with_cover: bool = True) -> Document:
    """Raises ExportFailed if the cover cannot be read."""
    seo = seo_of(article)
    return Document(
        title=str(article),
        markdown=article.content,
        author=byline(article.owner),
        date=timezone.localtime(article.completed_at or article.created_at).date(),
        language=article.language,
        description=seo.meta_description if seo else "",
        keywords=tuple(seo.keywords) if seo else (),
        cover=cover_of(article) if with_cover else b"",
        cover_alt=article.image_alt,
        search_title=seo.title if seo else "",
        # Without addresses and images, because nobody knows where the file will be published.
        tags=tuple(open_graph(article)),
        json_ld=script_safe(json_ld(article)),
        faq=tuple((item.question, item.answer) for item in seo.faq) if seo else (),
    )


def cover_of(article: Article) -> bytes:
    """The cover's content. Empty if there is none, or if it is missing: the text can be exported without it.

    Raises ExportFailed.
    """
    if not article.image.name:
        return b""
    try:
        with default_storage.open(article.image.name) as file:
            content: bytes = file.read()
            return content
    except FileNotFoundError:
        return b""
    except OSError as error:
        log.warning("the image of article %d could not be read: %s", article.pk, error)
        raise ExportFailed("The image of this article cannot be read. Try again, or ask your administrator.") from error
