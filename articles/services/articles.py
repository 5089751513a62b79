"""Creates, rewrites and deletes articles."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from agents.costs.estimate import Estimate, estimate
from articles.costs.limits import refuse_used_up_month
from articles.exceptions import ArticleGone, InvalidState
from articles.models import Article, Run
from articles.models.status import ACTIVE
from articles.quotas.rates import counted_uploads
from articles.quotas.totals import forget_measurement, stored
from articles.runs.agent_settings import models_for
from articles.runs.event_log import lock_article, refresh
from articles.services.briefs import BriefInput
from articles.services.runs import cancel_run, start_run
from articles.services.sources import (
    NewSource,
    check_total,
    delete_files,
    document_sizes,
    remove_sources,
    store_sources,
    stored_files,
    total_size,
)
from articles.services.texts import BEING_WRITTEN

log = logging.getLogger(__name__)


def estimate_cost(brief: BriefInput) -> Estimate:
    """The estimated cost of an article of this brief with the current models."""
    return estimate(
        brief.min_words,
        image=brief.include_image,
        seo=brief.seo_optimize,
        models=models_for(),
        approval=brief.approve_outline,
    )


def create_article(*, by: User, brief: BriefInput, sources: Sequence[NewSource] = (), start: bool = True) -> Article:
    """A new article with its sources, and the run that writes it.

    Raises InvalidSource, UnknownVoice, QuotaReached, and InvalidState if the month's spending limit is used up; nothing is
    stored then.
    """
    check_total(sources)
    columns = brief.columns()
    if start:
        refuse_used_up_month(by, by=by)  # before files are written; start_run checks again in its transaction
    with used_quotas(by, by, sources), stored_files(sources) as rows, transaction.atomic():
        article = Article.objects.create(owner_id=by.pk, **columns)
        store_sources(article, rows)
        if start:
            start_run(article=article, by=by)
    return article


@contextmanager
def used_quotas(owner: User, by: User, sources: Sequence[NewSource]) -> Iterator[None]:
    """Counts the sources as uploads of ``by`` and as storage of ``owner``, unless the block raises. Raises QuotaReached."""
    with counted_uploads(by, document_sizes(sources)), stored(owner, total_size(sources)):
        yield


def change_brief(*, article: Article, brief: BriefInput, only: Collection[str] | None = None) -> None:
    """Save the brief, or ``only`` these fields of it; the next run writes from it.

    Raises InvalidState while a run is active, UnknownVoice, and ArticleGone.
    """
    columns = {name: value for name, value in brief.columns().items() if only is None or name in only}
    changed = (
        Article.objects.filter(pk=article.pk).exclude(status__in=ACTIVE).update(**columns, updated_at=timezone.now())
    )
    refresh(article)
    if not changed:
        raise InvalidState(BEING_WRITTEN)


def change_brief_and_start(
    *,
    article: Article,
    by: User,
    brief: BriefInput | None = None,
    add: Sequence[NewSource] = (),
    remove: Collection[int] = (),
) -> Run:
    """Write the article again: save a changed brief, ``add`` sources, ``remove`` those with these ids, start a run.

    The finished text stays until the new one is complete. Raises what ``create_article`` and ``change_brief`` do; nothing is
    changed then. Ids that are not the article's are ignored.
    """
    kept = article.sources.exclude(pk__in=remove)
    check_total(add, stored=kept.count())
    refuse_used_up_month(article.owner, by=by)
    with used_quotas(article.owner, by, add), stored_files(add) as rows, transaction.atomic():
        lock_article(article.pk)
        if brief is not None:
            change_brief(article=article, brief=brief)
        remove_sources(article, remove)
        store_sources(article, rows)
        return start_run(article=article, by=by)


def delete_article(*, article: Article, by: User | None) -> None:
    """Delete the article, its history and its files. An active run is cancelled, so that its worker stops.

    Both in one transaction, so that clients receive one event, the deletion. Raises ArticleGone if it is already deleted.
    """
    with transaction.atomic():
        lock_article(article.pk)
        if article.runs.active().exists():
            cancel_run(article=article, by=by)
        uploads = list(article.sources.exclude(upload="").values_list("upload", flat=True))
        transaction.on_commit(partial(delete_files, uploads))
        transaction.on_commit(partial(delete_covers, article.pk))
        transaction.on_commit(partial(forget_measurement, article.owner_id))
        article.delete()


def delete_articles(*, articles: Iterable[Article], by: User | None) -> None:
    """Delete each article. One that is already deleted is skipped."""
    for article in articles:
        with suppress(ArticleGone):
            delete_article(article=article, by=by)


def delete_covers(article_id: int) -> None:
    """Delete the article's images, also those of earlier runs, and partial files of a killed worker.

    If the storage is unavailable, the sweeper deletes them later.
    """
    folder = f"covers/{article_id}"
    try:
        for name in default_storage.listdir(folder)[1]:
            default_storage.delete(f"{folder}/{name}")
        default_storage.delete(folder)
    except FileNotFoundError:  # it has none
        return
    except OSError as error:
        log.warning("the images of article %d stay for the sweeper to delete: %s", article_id, error)
