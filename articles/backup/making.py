"""Making a backup while the studio runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from articles.backup.archive import DATABASE, FOLDERS, SETTINGS, Manifest, Packer, new_archive
from articles.backup.stores import store_of
from articles.exceptions import BackupRefused
from contentstudio.embedded_redis import without_password
from contentstudio.settings import env

SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD")


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
        with (
            TemporaryDirectory(prefix="backup-", dir=settings.VAR) as directory,
            new_archive(target, manifest) as packer,
        ):
            copy = Path(directory) / DATABASE
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


def places() -> dict[str, Path]:
    """Where the files of each folder of the archive live."""
    media, uploads = FOLDERS
    return {media: Path(storages["default"].path("")), uploads: Path(storages["uploads"].path(""))}


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
    """What was set, by name. Keys and passwords are left out: whoever restores sets them again."""
    asked = [name for name in env.dump() if not SECRET.search(name)]
    found = {name: os.environ[name] for name in asked if os.environ.get(name)}
    return {name: without_password(value) if "://" in value else value for name, value in found.items()}
