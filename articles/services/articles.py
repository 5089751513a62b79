"""Articles themselves: made from a brief with its sources, changed, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.storage import default_storage, storages
from django.db import transaction
from django.utils import timezone

from articles.exceptions import ArticleGone, InvalidSource, InvalidState
from articles.models import Article, Source
from articles.models.status import ACTIVE
from articles.runs.event_log import lock_article, refresh
from articles.services.runs import cancel_run, start_run
from articles.services.texts import BEING_WRITTEN

DOCUMENTS = (".txt", ".md", ".pdf", ".docx")


@dataclass(frozen=True)
class NewSource:
    """A source as it is brought: exactly one of ``text``, ``url`` and ``upload``."""

    title: str = ""
    text: str = ""
    url: str = ""
    upload: File[bytes] | None = None


def create_article(
    *, by: User, brief: dict[str, Any], sources: Sequence[NewSource] = (), start: bool = True
) -> Article:
    """A new article of ``by``'s from a checked brief, with its sources, and the run that writes it.

    Raises InvalidSource where a source cannot be taken; nothing is written then.
    """
    with transaction.atomic():
        article = Article(owner_id=by.pk, **brief)
        article.save()
        for source in sources:
            add_source(article=article, source=source)
        if start:
            start_run(article=article, by=by)
    return article


def add_source(*, article: Article, source: NewSource) -> Source:
    """Keep a source of the person's. It is read when the crew gets to it. Raises InvalidSource."""
    given = [part for part in (source.text.strip(), source.url, source.upload) if part]
    if len(given) != 1:
        raise InvalidSource("A source is a text, an address or a document: give exactly one of them.")
    if article.sources.count() >= settings.MAX_SOURCES:
        raise InvalidSource(f"An article takes up to {settings.MAX_SOURCES} sources. Leave some out.")
    row = Source(article=article, title=source.title[:300], text=source.text.strip(), url=source.url)
    if source.upload is not None:
        check_document(source.upload)
        row.title = row.title or (source.upload.name or "")[:300]
        row.upload.save(source.upload.name or "document", source.upload, save=False)
    row.save()
    return row


def check_document(upload: File[bytes]) -> None:
    """Refuse, with its reason, what the crew could not read anyway. Raises InvalidSource."""
    name, limit = upload.name or "", settings.UPLOAD_MAX_BYTES
    if not name.lower().endswith(DOCUMENTS):
        raise InvalidSource(f"“{name}” is not a kind of document the studio reads. Give a {', '.join(DOCUMENTS)} file.")
    if not upload.size:
        raise InvalidSource(f"“{name}” is empty.")
    if upload.size > limit:
        raise InvalidSource(f"“{name}” is larger than {limit // 1024 // 1024} MB. Give a smaller part of it.")


def change_brief(*, article: Article, brief: dict[str, Any]) -> None:
    """Change fields of the brief, checked before; the next run writes from it.

    Raises InvalidState while one is at work, ArticleGone where the article was deleted.
    """
    resting = Article.objects.filter(pk=article.pk).exclude(status__in=ACTIVE)
    changed = resting.update(**brief, updated_at=timezone.now())
    refresh(article)
    if not changed:
        raise InvalidState(BEING_WRITTEN)


def delete_article(*, article: Article, by: User | None) -> None:
    """Delete the article, its history and its files; a run at work is cancelled with it, so that its worker stops.

    In one transaction, so that whoever watches is told that it was deleted, not that it was cancelled. Raises ArticleGone where
    somebody was faster.
    """
    with transaction.atomic():
        lock_article(article.pk)
        if article.runs.active().exists():
            cancel_run(article=article, by=by)
        uploads = list(article.sources.exclude(upload="").values_list("upload", flat=True))
        transaction.on_commit(partial(remove_files, uploads, f"covers/{article.pk}"))
        article.delete()


def delete_articles(*, articles: Iterable[Article], by: User | None) -> None:
    """Delete each as ``delete_article`` does; one that somebody else deleted meanwhile is gone as well."""
    for article in articles:
        with suppress(ArticleGone):
            delete_article(article=article, by=by)


def remove_files(uploads: Iterable[str], folder: str) -> None:
    """``folder`` holds the article's pictures, also those of earlier runs and those a killed worker left half written."""
    for name in uploads:
        storages["uploads"].delete(name)
    if default_storage.exists(folder):
        for name in default_storage.listdir(folder)[1]:
            default_storage.delete(f"{folder}/{name}")
        default_storage.delete(folder)
