"""Making a backup while the studio runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, cast

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from articles.exceptions import BackupRefused
from articles.operations.backup.archive import DATABASE, SETTINGS, Manifest, Packer, new_archive
from articles.operations.backup.databases import store_of
from articles.operations.backup.folders import places, workplace
from contentstudio.settings import env

SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD")
IN_ADDRESSES = re.compile(r"(?<=://)[^/\s]*@|\?\S*")
"""Of an address, what may be a secret: who signs in, which may be a token by itself, and all that is asked for."""


def make_backup(target: Path) -> Manifest:
    """Write the whole studio to ``target``. Raises BackupRefused, and leaves nothing behind then.

    The database first: pictures and uploads have names that are never given twice, so those its rows name are there
    afterwards, unless their article was deleted meanwhile.
    """
    manifest = Manifest(
        version=settings.VERSION,
        made_at=timezone.now(),
        store=cast(Literal["sqlite", "postgresql"], connection.vendor),
        migrations=applied_migrations(),
    )
    try:
        with workplace() as directory, new_archive(target, manifest) as packer:
            copy = directory / DATABASE
            store_of(connection.vendor).dump(copy)
            packer.add_file(DATABASE, copy)
            packer.add_text(SETTINGS, json.dumps(settings_without_secrets(), indent=1))
            for folder, place in places().items():
                add_files(packer, folder, place)
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written: {error}. Choose another place.") from error
    return manifest


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def add_files(packer: Packer, folder: str, place: Path) -> None:
    for path in files_below(place):
        try:
            packer.add_file(f"{folder}/{path.relative_to(place).as_posix()}", path)
        except FileNotFoundError:  # its article was deleted since we looked
            continue


def files_below(place: Path) -> Iterator[Path]:
    """Regular files only: a link could lead anywhere."""
    for directory, _, names in os.walk(place):
        for name in sorted(names):
            path = Path(directory) / name
            if path.is_file() and not path.is_symlink():
                yield path


def settings_without_secrets() -> dict[str, str]:
    """What was set, by name. Keys and passwords are left out, in addresses, too: whoever restores sets them again."""
    asked = [name for name in env.dump() if not SECRET.search(name)]
    found = {name: os.environ[name] for name in asked if os.environ.get(name)}
    return {name: IN_ADDRESSES.sub("", value) if "://" in value else value for name, value in found.items()}
