"""The files of a storage: of a folder, or of an S3 bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from django.core.files.storage import FileSystemStorage, Storage


@dataclass(frozen=True)
class StoredFile:
    """``tag`` is what S3 calls an ETag: of a small file the MD5 sum of its content. Empty in a folder."""

    name: str
    modified: datetime
    size: int
    tag: str = ""


class ListingStorage(Protocol):
    """A storage without folders, such as ``PrivateS3Storage``."""

    def files(self) -> Iterator[StoredFile]: ...


def files_of(storage: Storage) -> Iterator[StoredFile]:
    """All files of the storage. Raises OSError."""
    if isinstance(storage, FileSystemStorage):
        return files_below(Path(storage.path("")))
    return cast(ListingStorage, storage).files()


def files_below(folder: Path) -> Iterator[StoredFile]:
    """Regular files only: a link could point anywhere."""
    for directory, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(directory) / name
            if path.is_symlink() or not path.is_file():
                continue
            try:
                found = path.stat()
            except FileNotFoundError:  # deleted just now
                continue
            modified = datetime.fromtimestamp(found.st_mtime, UTC)
            yield StoredFile(path.relative_to(folder).as_posix(), modified, found.st_size)
