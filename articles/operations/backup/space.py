"""Whether a backup fits on the disks. A full disk would stop the studio, so some room is always left."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat

from articles.exceptions import BackupRefused
from articles.operations.backup.databases import store_of
from articles.operations.backup.storages import file_storages
from contentstudio.stored_files import files_of

MOST_RESERVED = 1024**3  # bytes
RESERVED_SHARE = 0.05


def reserve(total: int) -> int:
    """Bytes of a disk of ``total`` that a backup leaves free."""
    return min(MOST_RESERVED, int(total * RESERVED_SHARE))


def refuse_without_space(target: Path) -> None:
    """Raises BackupRefused if the copy of the database, in ``VAR``, and the archive leave less than the reserve.

    Files are counted as if they could not be compressed, as is true of images. Raises OSError.
    """
    database = store_of(connection.vendor).size()
    needed: defaultdict[int, int] = defaultdict(int)  # by disk
    needed[settings.VAR.stat().st_dev] += database
    needed[target.parent.stat().st_dev] += database + size_of_files()
    for directory in (settings.VAR, target.parent):
        disk, bytes_needed = shutil.disk_usage(directory), needed[directory.stat().st_dev]
        if disk.free - bytes_needed < reserve(disk.total):
            raise BackupRefused(
                f"The backup needs up to {filesizeformat(bytes_needed)} in {directory}, where"
                f" {filesizeformat(disk.free)} are free, and must leave {filesizeformat(reserve(disk.total))}. Free some"
                " space, keep fewer backups (BACKUP_KEEP), or write them to another disk (BACKUP_DIR)."
            )


def size_of_files() -> int:
    return sum(file.size for storage in file_storages().values() for file in files_of(storage))
