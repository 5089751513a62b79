"""Measures documents that were stored before their sizes were."""

from __future__ import annotations

from django.core.files.storage import storages

from articles.models import Source


def measure_uploads() -> int:
    """Store the sizes of documents of earlier releases, which count towards the storage of their owners. Returns how many."""
    storage, measured = storages["uploads"], 0
    for pk, name in Source.objects.filter(upload_bytes=None).exclude(upload="").values_list("pk", "upload"):
        try:
            size = storage.size(name)
        except FileNotFoundError:
            size = 0  # it is lost, and takes no room
        measured += Source.objects.filter(pk=pk).update(upload_bytes=size)
    return measured
