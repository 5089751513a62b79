"""Creates a backup while the studio runs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Literal, cast

from django.conf import settings
from django.core.files.storage import Storage
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from articles.exceptions import BackupRefused
from articles.operations.backup.archive import DATABASE, SETTINGS, Manifest, Packer, new_archive
from articles.operations.backup.databases import store_of
from articles.operations.backup.space import refuse_without_space
from articles.operations.backup.storages import file_storages, work_folder
from contentstudio.environment import env
from contentstudio.runtime.compatibility import stored_version
from contentstudio.stored_files import files_of

SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|HEADERS")
SECRETS_IN_URLS = re.compile(r"(?<=://)[^/\s]*@|\?\S*")
"""The user information and the query of a URL: either may contain a secret."""


def make_backup(target: Path) -> Manifest:
    """Writes the whole studio to ``target``. Raises BackupRefused, and then leaves nothing behind.

    The database is copied first. File names are never reused, so all files its rows name still exist afterwards, unless
    their article was deleted in the meantime.
    """
    schema = stored_version()  # not always this one: a backup is made before migrating, or while machines are upgraded
    manifest = Manifest(
        version=schema.version if schema else settings.VERSION,
        made_at=timezone.now(),
        store=cast(Literal["sqlite", "postgresql"], connection.vendor),
        migrations=applied_migrations(),
    )
    try:
        refuse_without_space(target)
        with work_folder() as directory, new_archive(target, manifest) as packer:
            copy = directory / DATABASE
            store_of(connection.vendor).dump(copy)
            with copy.open("rb") as file:
                packer.add_file(DATABASE, file)
            packer.add_text(SETTINGS, json.dumps(settings_without_secrets(), indent=1))
            for folder, storage in file_storages().items():
                add_files(packer, folder, storage)
    except ConnectionError as error:
        raise BackupRefused(f"The images and documents cannot be read: {error}. Try again later.") from error
    except OSError as error:
        raise BackupRefused(f"{target} cannot be written: {error}. Choose another location.") from error
    return manifest


def applied_migrations() -> list[str]:
    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def add_files(packer: Packer, folder: str, storage: Storage) -> None:
    for found in files_of(storage):
        try:
            file = storage.open(found.name)
        except FileNotFoundError:  # its article has just been deleted
            continue
        with file:
            packer.add_file(f"{folder}/{found.name}", file)


def settings_without_secrets() -> dict[str, str]:
    """The environment's settings. Keys and passwords are left out, in URLs as well: they are set again after a restore."""
    names = [name for name in env.dump() if not SECRET.search(name)]
    values = {name: os.environ[name] for name in names if os.environ.get(name)}
    return {name: SECRETS_IN_URLS.sub("", value) if "://" in value else value for name, value in values.items()}
