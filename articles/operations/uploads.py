"""Deletes uploaded documents that belong to no source, such as those of a request whose process was killed."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.storage import storages
from django.utils import timezone

from articles.models import Source

MIN_AGE = timedelta(hours=1)
"""A request writes its files before the rows that name them."""


def remove_orphaned_uploads() -> int:
    """Returns the number of files deleted. Safe to run in several copies."""
    storage, oldest = storages["uploads"], timezone.now() - MIN_AGE
    if not storage.exists(""):
        return 0
    removed = 0
    for name in storage.listdir("")[1]:
        try:
            is_old = storage.get_modified_time(name) < oldest
        except FileNotFoundError:  # its article was deleted just now
            continue
        if is_old and not Source.objects.filter(upload=name).exists():
            storage.delete(name)
            removed += 1
    return removed
