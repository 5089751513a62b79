"""Replaces the files in a bucket by those of a backup.

A bucket cannot be renamed. New files are added before the database is loaded, and old ones are deleted after everything
else: at each moment all files exist that the database names.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from contentstudio.stored_files import StoredFile, files_below

log = logging.getLogger(__name__)


class Bucket(Protocol):
    """What a restore needs of ``contentstudio.s3_storage.PrivateS3Storage``."""

    def files(self) -> Iterator[StoredFile]: ...

    def open(self, name: str) -> AbstractContextManager[IO[bytes]]: ...

    def write(self, name: str, content: IO[bytes]) -> None: ...

    def delete(self, name: str) -> None: ...


@contextmanager
def staged(new: Path, bucket: Bucket) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """Adds the files of ``new`` whose names are free. Yields ``replaced``. If the block fails, deletes them again."""
    old = {file.name: file for file in bucket.files()}
    coming = [file.name for file in files_below(new)]
    added = [name for name in coming if name not in old]
    changed = [name for name in coming if name in old and not is_same(new / name, old[name])]
    try:
        upload(bucket, new, added)
        yield partial(replaced, bucket, new, changed, leaving=old.keys() - set(coming))
    except BaseException:
        delete_now_or_later(bucket, added)
        raise


@contextmanager
def replaced(bucket: Bucket, new: Path, changed: Iterable[str], *, leaving: Iterable[str]) -> Iterator[None]:
    """Overwrites the ``changed`` files, and restores them if the block fails. Afterwards deletes those ``leaving``."""
    before = new.with_name(f"{new.name}-before")
    for name in changed:
        target = before / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with bucket.open(name) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
    try:
        upload(bucket, new, changed)
        yield
    except BaseException:
        upload(bucket, before, changed)
        raise
    delete_now_or_later(bucket, leaving)


def is_same(path: Path, stored: StoredFile) -> bool:
    """Whether it surely has the same content: a tag may be something else than the MD5 sum, but not by accident the same."""
    if path.stat().st_size != stored.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == stored.tag


def upload(bucket: Bucket, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        with (folder / name).open("rb") as file:
            bucket.write(name, file)


def delete_now_or_later(bucket: Bucket, names: Iterable[str]) -> None:
    """Files that stay belong to no row, so the sweeper deletes them."""
    try:
        for name in names:
            bucket.delete(name)
    except OSError as error:
        log.warning("some files stay in the bucket for the sweeper to delete: %s", error)
