"""Deletes files that belong to nothing: of a request or worker that was killed, or of an article deleted during an outage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.core.files.storage import default_storage, storages
from django.core.files.storage.base import Storage
from django.utils import timezone

from articles.models import Article, Source
from contentstudio.stored_files import files_of

MIN_AGE = timedelta(hours=1)
"""A request writes its files before the rows that name them. Clocks may differ by minutes."""


def remove_orphaned_uploads() -> int:
    """Documents of no source. Returns the number of files deleted. Safe to run in several copies. Raises OSError."""
    found = [name for name in old_files(storages["uploads"]) if "/" not in name]
    used = set(Source.objects.exclude(upload="").values_list("upload", flat=True)) if found else set()
    return removed(storages["uploads"], [name for name in found if name not in used])


def remove_orphaned_covers() -> int:
    """Images of deleted articles. Returns the number of files deleted. Safe to run in several copies. Raises OSError."""
    found = {name: cover_of(name) for name in old_files(default_storage) if cover_of(name)}
    existing = set(Article.objects.values_list("pk", flat=True)) if found else set()
    return removed(default_storage, [name for name, article in found.items() if article not in existing])


def cover_of(name: str) -> int:
    """The id of the article whose image it is; 0 if it is none."""
    folder, _, rest = name.partition("/")
    article = rest.partition("/")[0]
    return int(article) if folder == "covers" and article.isdecimal() and len(article) <= 18 else 0


def old_files(storage: Storage) -> Iterator[str]:
    oldest = timezone.now() - MIN_AGE
    return (file.name for file in files_of(storage) if file.modified < oldest)


def removed(storage: Storage, names: list[str]) -> int:
    for name in names:
        storage.delete(name)
    return len(names)
