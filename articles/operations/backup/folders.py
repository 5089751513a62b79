"""Where a studio's files live, and how those of a backup take their place."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files.storage import storages

from articles.exceptions import BackupRefused
from articles.operations.backup.archive import FOLDERS

NEW, OLD = ".restore-new", ".restore-old"
"""Inside a place, while it is restored: what is to come, and what was there before."""


def places() -> dict[str, Path]:
    """Where the files of each folder of the archive live."""
    media, uploads = FOLDERS
    return {media: Path(storages["default"].path("")), uploads: Path(storages["uploads"].path(""))}


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty directory in ``var/``, for one backup or restore at a time: another is refused with BackupRefused.

    What one that was killed has left behind is cleared first, in the places, too. Raises OSError.
    """
    directory = settings.VAR / "backup-in-work"
    with (settings.VAR / "backup.lock").open("w") as lock:  # freed when we end, however
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused("Another backup or restore is running. Wait until it is done, and try again.") from None
        clear(directory, *(place / remains for place in places().values() for remains in (NEW, OLD)))
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
def brought(new: Path, place: Path) -> Iterator[None]:
    """Inside the block ``new`` is in ``place``, beside what it is to replace, a rename away: what there is no room for is known
    before anything was changed. Raises OSError.
    """
    new.mkdir(exist_ok=True)  # an archive has no empty folders
    place.mkdir(parents=True, exist_ok=True)
    try:
        move(new, place / NEW)
        yield
    finally:
        clear(place / NEW, place / OLD)


def move(source: Path, target: Path) -> None:
    """Rename, or copy to another volume. Raises OSError, which tells of the first file alone: where one fails many do."""
    try:
        shutil.move(source, target)
    except shutil.Error as error:
        raise OSError(error.args[0][0][2]) from error


@contextmanager
def exchanged(place: Path) -> Iterator[None]:
    """Inside the block ``place`` holds what was brought; where the block fails, it is as it was before. Raises OSError.

    It may be a mounted volume, and therefore stays itself.
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
