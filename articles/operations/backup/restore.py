"""Restores a backup. The studio must not be running."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from articles.exceptions import BackupRefused
from articles.models import Article, BackupState
from articles.operations.backup.archive import DATABASE, Manifest, unpack
from articles.operations.backup.databases import store_of
from articles.operations.backup.storages import file_storages, staged, work_folder
from contentstudio.runtime.compatibility import OLDEST_DATABASE, OLDEST_MIGRATION, too_old


def restore_backup(archive: Path, *, replace: bool) -> Manifest:
    """Replaces all data by that of ``archive``. Raises BackupRefused, and then has changed nothing.

    Without ``replace``, a studio with data is refused. Runs that were in progress are continued by the sweeper.
    """
    if not replace:
        refuse_full_studio()
    try:
        with work_folder() as unpacked:
            manifest = unpack(archive, unpacked)
            refuse_incompatible(manifest)
            put_in_place(unpacked)
    except OSError as error:
        raise BackupRefused(
            f"The backup cannot be restored: {error}. Nothing was changed. Free some space or fix the permissions, then"
            " restore again."
        ) from error
    return manifest


def refuse_full_studio() -> None:
    """A new studio has no tables, or empty ones."""
    if not {Article._meta.db_table, User._meta.db_table} <= set(connection.introspection.table_names()):
        return
    articles, users = Article.objects.count(), User.objects.count()
    if articles or users:
        raise BackupRefused(
            f"The studio is not empty: it has {articles} articles and {users} users."
            " Use --replace to replace them, after making a backup."
        )


def refuse_incompatible(manifest: Manifest) -> None:
    """Raises BackupRefused for a backup that this version or database cannot use."""
    if manifest.store != connection.vendor:
        raise BackupRefused(
            f"The backup was made on {manifest.store}, but this studio uses {connection.vendor}. Set DATABASE_URL to"
            " a database of the same kind."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(manifest.migrations) - known):
        raise BackupRefused(
            f"The backup was made by version {manifest.version}. This version, {settings.VERSION}, does not have its"
            f" migration {unknown[0]}. Restore it with that version or a newer one."
        )
    if ".".join(OLDEST_MIGRATION) not in manifest.migrations:
        raise BackupRefused(too_old(f"The backup is of a version before {OLDEST_DATABASE}."))
    if DATABASE not in manifest.parts:
        raise BackupRefused("The backup contains no database. Use another backup.")


def put_in_place(unpacked: Path) -> None:
    """All parts or none: if one fails, those before it are rolled back."""
    with ExitStack() as parts:
        replacements = [
            parts.enter_context(staged(unpacked / folder, storage)) for folder, storage in file_storages().items()
        ]
        parts.enter_context(store_of(connection.vendor).loaded(unpacked / DATABASE))
        for replaced in replacements:
            parts.enter_context(replaced())
        call_command("migrate", interactive=False, verbosity=0)
        # The backup was made under its own claim, and maybe after a failure.
        BackupState.objects.update(not_before=None, failed_at=None, error="")
