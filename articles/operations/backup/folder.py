"""Replaces the files in a folder by those of a backup."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

NEW, OLD = ".restore-new", ".restore-old"
"""Subfolders during a restore: the new files, and the old ones."""


def clear(*directories: Path) -> None:
    for directory in directories:
        if directory.exists():
            shutil.rmtree(directory)


@contextmanager
def staged(new: Path, place: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Copies ``new`` into a subfolder of ``place`` for the block. Yields ``replaced``. Raises OSError."""
    place.mkdir(parents=True, exist_ok=True)
    try:
        move(new, place / NEW)
        yield partial(replaced, place)
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
