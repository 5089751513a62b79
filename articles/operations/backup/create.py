"""Creates a backup while the studio runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Literal, cast

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from articles.exceptions import BackupRefused
from articles.operations.backup.archive import DATABASE, SETTINGS, Manifest, Packer, new_archive
from articles.operations.backup.databases import store_of
from articles.operations.backup.folders import files_below, places, work_folder
from articles.operations.backup.space import refuse_without_space
from contentstudio.environment import env

SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|HEADERS")
SECRETS_IN_URLS = re.compile(r"(?<=://)[^/\s]*@|\?\S*")
"""The user information and the query of a URL: either may contain a secret."""


def make_backup(target: Path) -> Manifest:
    """Writes the whole studio to ``target``. Raises BackupRefused, and then leaves nothing behind.

    The database is copied first. File names are never reused, so all files its rows name still exist afterwards, unless
    their article was deleted in the meantime.
    """
    manifest = Manifest(
        version=settings.VERSION,
        made_at=timezone.now(),
        store=cast(Literal["sqlite", "postgresql"], connection.vendor),
        migrations=applied_migrations(),
    )
    try:
        refuse_without_space(target)
        with work_folder() as directory, new_archive(target, manifest) as packer:
            copy = directory / DATABASE
            store_of(connection.vendor).dump(copy)
            packer.add_file(DATABASE, copy)
            packer.add_text(SETTINGS, json.dumps(settings_without_secrets(), indent=1))
            for folder, place in places().items():
                add_files(packer, folder, place)
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written: {error}. Choose another location.") from error
    return manifest


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def add_files(packer: Packer, folder: str, place: Path) -> None:
    for path in files_below(place):
        try:
            packer.add_file(f"{folder}/{path.relative_to(place).as_posix()}", path)
        except FileNotFoundError:  # its article has just been deleted
            continue


def settings_without_secrets() -> dict[str, str]:
    """The environment's settings. Keys and passwords are left out, in URLs as well: they are set again after a restore."""
    names = [name for name in env.dump() if not SECRET.search(name)]
    values = {name: os.environ[name] for name in names if os.environ.get(name)}
    return {name: SECRETS_IN_URLS.sub("", value) if "://" in value else value for name, value in values.items()}
