"""What people and programs can do with articles. The one place, besides the journal, that writes.

Pages, API, admin actions and commands call these; each is one transaction, or says why not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import django_rq
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.storage import default_storage, storages
from django.db import transaction
from django.utils import timezone
from redis.exceptions import RedisError

from articles.exceptions import BadSource, NotPossibleNow, TextChanged
from articles.ledger import writing
from articles.models import Article, Event, Revision, Run, Source, Status
from articles.models.status import ACTIVE

log = logging.getLogger(__name__)

JOB = "agents.jobs.run_article"
WAITING = "Waiting for a worker"
DOCUMENTS = (".txt", ".md", ".pdf", ".docx")
BEING_WRITTEN = "The crew is writing this article. Wait until it is done, or cancel it, to edit it."


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

    Raises BadSource where a source cannot be taken; nothing is written then.
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
    """Keep a source of the person's. It is read when the crew gets to it. Raises BadSource."""
    given = [part for part in (source.text.strip(), source.url, source.upload) if part]
    if len(given) != 1:
        raise BadSource("A source is a text, an address or a document: give exactly one of them.")
    if article.sources.count() >= settings.MAX_SOURCES:
        raise BadSource(f"An article takes up to {settings.MAX_SOURCES} sources. Leave some out.")
    row = Source(article=article, title=source.title[:300], text=source.text.strip(), url=source.url)
    if source.upload is not None:
        check_document(source.upload)
        row.title = row.title or (source.upload.name or "")[:300]
        row.upload.save(source.upload.name or "document", source.upload, save=False)
    row.save()
    return row


def check_document(upload: File[bytes]) -> None:
    """Refuse, with its reason, what the crew could not read anyway. Raises BadSource."""
    name, limit = upload.name or "", settings.UPLOAD_MAX_BYTES
    if not name.lower().endswith(DOCUMENTS):
        raise BadSource(f"“{name}” is not a kind of document the studio reads. Give a {', '.join(DOCUMENTS)} file.")
    if not upload.size:
        raise BadSource(f"“{name}” is empty.")
    if upload.size > limit:
        raise BadSource(f"“{name}” is larger than {limit // 1024 // 1024} MB. Give a smaller part of it.")


# Runs


def start_run(*, article: Article, by: User | None, queue: bool = True) -> Run:
    """A new run of the article, from the beginning. Raises NotPossibleNow while another is at work.

    Whoever performs it in the own process says ``queue=False``, so that no worker is called to it.
    """
    with writing(article.pk) as pen:
        if pen.article.runs.active().exists():
            raise NotPossibleNow("This article is being written. Cancel that first, or wait until it is done.")
        first = not pen.article.runs.exists()
        run = Run.objects.create(article=pen.article, requested_by_id=by.pk if by else None)
        old = None if first else pen.article.status
        pen.set(status=Status.PENDING, message=WAITING, current_agent="")
        pen.tell(Event.Type.STATUS_CHANGE, run, old_status=old, new_status=Status.PENDING, message=WAITING)
        if queue:
            enqueue(run)
    article.refresh_from_db()
    return run


def retry_run(*, article: Article, by: User | None) -> Run:
    """Let the latest run go on from its first step without an output. Raises NotPossibleNow unless it failed or was cancelled."""
    with writing(article.pk) as pen:
        run = pen.article.latest_run()
        if run is None or run.status not in (Status.FAILED, Status.CANCELLED):
            raise NotPossibleNow("Only an article that failed or was cancelled can be tried again.")
        pen.change_status(
            run,
            Status.PENDING,
            WAITING,
            requested_by=by,
            attempts=0,
            enqueued_at=timezone.now(),
            reason="",
            token=None,
            finished_at=None,
        )
        enqueue(run)
    article.refresh_from_db()
    return run


def enqueue(run: Run) -> None:
    """Hand the run to a worker once it is committed. A lost job costs time only: the sweeper finds the run."""
    run_id = run.pk

    def submit() -> None:
        try:
            django_rq.get_queue("articles").enqueue(JOB, run_id, result_ttl=600, failure_ttl=86400)
        except (RedisError, OSError) as error:
            log.warning("run %s: the queue cannot be reached, the sweeper will submit it: %s", run_id, error)

    transaction.on_commit(submit)


def cancel_run(*, article: Article, by: User | None) -> None:
    """Stop the run at work; what is done stays. Raises NotPossibleNow where none is."""
    with writing(article.pk) as pen:
        run = pen.article.runs.active().first()
        if run is None:
            raise NotPossibleNow("This article is not being written, so there is nothing to cancel.")
        name = f" by {by.get_username()}" if by else ""
        pen.change_status(run, Status.CANCELLED, f"Cancelled{name}", finished_at=timezone.now(), lease_expires_at=None)
    article.refresh_from_db()


def delete_article(*, article: Article, by: User | None) -> None:
    """Delete the article, its history and its files; a run at work is cancelled first, so that its worker stops."""
    if article.runs.active().exists():
        cancel_run(article=article, by=by)
    uploads = list(article.sources.exclude(upload="").values_list("upload", flat=True))
    image = article.image.name

    def remove_files() -> None:
        for name in uploads:
            storages["uploads"].delete(name)
        if image:
            default_storage.delete(image)

    with transaction.atomic():
        transaction.on_commit(remove_files)
        article.delete()


def sweep() -> int:
    """Put back the runs whose worker died and submit the ones whose job was lost. Safe to run in several copies.

    Returns how many runs were put back or given up. A run taken up MAX_ATTEMPTS times fails: it may be what kills its workers.
    """
    now = timezone.now()
    let_go = Run.objects.let_go(now).values_list("pk", "article_id", "token")
    swept = sum(put_back(*row) for row in let_go)
    for run in Run.objects.forgotten(now):
        if Run.objects.filter(pk=run.pk, status=Status.PENDING, enqueued_at=run.enqueued_at).update(enqueued_at=now):
            enqueue(run)
            swept += 1
    return swept


def put_back(run_id: int, article_id: int, token: UUID | None) -> bool:
    with writing(article_id) as pen:
        run = Run.objects.let_go(timezone.now()).filter(pk=run_id, token=token).first()
        if run is None:  # another sweeper was faster, or its worker came back
            return False
        if run.attempts >= settings.MAX_ATTEMPTS:
            reason = f"The worker died {run.attempts} times over this article. Its log tells why; then try again."
            return pen.change_status(run, Status.FAILED, reason, reason=reason, finished_at=timezone.now())
        message = "Its worker was lost; another will go on where it stopped"
        back = {"token": None, "lease_expires_at": None, "enqueued_at": timezone.now()}
        moved = pen.change_status(run, Status.PENDING, message, **back)
        enqueue(run)
    return moved


# The brief and the text


def change_brief(*, article: Article, brief: dict[str, Any]) -> None:
    """Change fields of the brief, checked before; the next run writes from it. Raises NotPossibleNow while one is at work."""
    resting = Article.objects.filter(pk=article.pk).exclude(status__in=ACTIVE)
    if not resting.update(**brief, updated_at=timezone.now()):
        raise NotPossibleNow(BEING_WRITTEN)
    article.refresh_from_db()


def save_text(*, article: Article, by: User, title: str, content: str, opened_at: int) -> Revision:
    """Save an edited text as the next revision.

    ``opened_at`` is the number of the revision the person began to edit: raises TextChanged where there is a newer one, and
    NotPossibleNow while the crew is writing.
    """
    with writing(article.pk) as pen:
        refuse_late_text(pen.article, opened_at)
        revision = pen.save_text(title, content, by=by)
    article.refresh_from_db()
    return revision


def check_text(*, article: Article, opened_at: int) -> None:
    """Raise what ``save_text`` would. Inside a transaction the article's row stays locked, so the answer holds to its end."""
    with writing(article.pk) as pen:
        refuse_late_text(pen.article, opened_at)


def refuse_late_text(article: Article, opened_at: int) -> None:
    if article.status in ACTIVE:
        raise NotPossibleNow(BEING_WRITTEN)
    newest = article.revisions.first()
    if newest and newest.number != opened_at:
        raise TextChanged(
            f"{newest.author} saved revision {newest.number} while you were editing. Your text is still here:"
            " copy what you need, open the newest text and save again."
        )
