"""The folders with the studio's files, and their replacement by those of a backup."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages

from articles.exceptions import BackupRefused
from articles.operations.backup.archive import FOLDERS

NEW, OLD = ".restore-new", ".restore-old"
"""Subfolders during a restore: the new files, and the old ones."""


def places() -> dict[str, Path]:
    """Folder in the archive → folder on disk."""
    media, uploads = FOLDERS
    return {media: Path(storages["default"].path("")), uploads: Path(storages["uploads"].path(""))}


def files_below(place: Path) -> Iterator[Path]:
    """Regular files only: a link could point anywhere."""
    for directory, _, names in os.walk(place):
        for name in sorted(names):
            path = Path(directory) / name
            if path.is_file() and not path.is_symlink():
                yield path


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
        clear(directory, *(place / name for place in places().values() for name in (NEW, OLD)))
        directory.mkdir(mode=0o700)
        try:
            yield directory
        finally:
            clear(directory)


def clear(*directories: Path) -> None:
    for directory in directories:
        if directory.exists():
            shutil.rmtree(directory)


@contextmanager
def staged(new: Path, place: Path) -> Iterator[None]:
    """Copies ``new`` into a subfolder of ``place`` for the block, so that a full disk fails before anything is replaced.

    Raises OSError.
    """
    new.mkdir(exist_ok=True)  # an archive has no empty folders
    place.mkdir(parents=True, exist_ok=True)
    try:
        move(new, place / NEW)
        yield
    finally:
        clear(place / NEW, place / OLD)


def move(source: Path, target: Path) -> None:
    """Renames, or copies to another volume. Raises OSError for the first file that fails."""
    try:
        shutil.move(source, target)
    except shutil.Error as error:
        raise OSError(error.args[0][0][2]) from error


@contextmanager
def replaced(place: Path) -> Iterator[None]:
    """Replaces the content of ``place`` by the staged files; restores it if the block fails. Raises OSError.

    The folder itself stays, as it may be a mounted volume.
    """
    new, old = place / NEW, place / OLD
    old.mkdir()
    leaving = [(child, old / child.name) for child in place.iterdir() if child not in (new, old)]
    coming = [(child, place / child.name) for child in new.iterdir()]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in (*leaving, *coming):
            source.rename(target)
            done.append((source, target))
        yield
    except BaseException:
        for source, target in reversed(done):
            target.rename(source)
        raise
