"""The storages of images and uploads, and the working folder of a backup or restore."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias, cast

from django.conf import settings
from django.core.files.storage import FileSystemStorage, Storage, storages

from articles.exceptions import BackupRefused
from articles.operations.backup import bucket, folder
from articles.operations.backup.archive import FOLDERS

Replaced: TypeAlias = Callable[[], AbstractContextManager[None]]
"""Replaces the files of a storage by those of a backup; restores them if its block fails. Raises OSError."""


def file_storages() -> dict[str, Storage]:
    """Folder in the archive → storage."""
    media, uploads = FOLDERS
    return {media: storages["default"], uploads: storages["uploads"]}


def staged(new: Path, storage: Storage) -> AbstractContextManager[Replaced]:
    """Copies the files in ``new`` to where the storage is, so that a full disk fails before anything is replaced.

    Raises OSError.
    """
    new.mkdir(exist_ok=True)  # an archive has no empty folders
    if isinstance(storage, FileSystemStorage):
        return folder.staged(new, Path(storage.path("")))
    return bucket.staged(new, cast(bucket.Bucket, storage))


@contextmanager
def work_folder() -> Iterator[Path]:
    """An empty folder in ``VAR`` for one backup or restore at a time. Raises BackupRefused if another is running.

    Removes what a killed one has left behind. Raises OSError.
    """
    directory = settings.VAR / "backup-in-progress"
    with (settings.VAR / "backup.lock").open("w") as lock:  # the kernel releases it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused(
                "Another backup or restore is running. Wait until it is finished, then try again."
            ) from None
        places = [Path(each.path("")) for each in file_storages().values() if isinstance(each, FileSystemStorage)]
        folder.clear(directory, *(place / name for place in places for name in (folder.NEW, folder.OLD)))
        directory.mkdir(mode=0o700)
        try:
            yield directory
        finally:
            folder.clear(directory)
