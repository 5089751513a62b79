"""Putting a backup in the place of what is there. No studio may be running meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from articles.exceptions import BackupRefused
from articles.models import Article
from articles.operations.backup.archive import DATABASE, Manifest, unpack
from articles.operations.backup.databases import store_of
from articles.operations.backup.folders import brought, exchanged, places, workplace


def restore_backup(archive: Path, *, replace: bool) -> Manifest:
    """Make the studio what it was when ``archive`` was made. Raises BackupRefused, and has changed nothing then.

    ``replace`` allows that what the studio holds is lost. Runs that were at work are taken up again by the sweeper.
    """
    if not replace:
        refuse_full_studio()
    try:
        with workplace() as unpacked:
            manifest = unpack(archive, unpacked)
            refuse_strange(manifest)
            put_in_place(unpacked)
    except OSError as error:
        raise BackupRefused(
            f"The backup cannot be put in place: {error}. All is as it was before. Make room, or let the studio write there,"
            " and restore again."
        ) from error
    return manifest


def refuse_full_studio() -> None:
    """A studio that was only just set up has no tables, or none with rows."""
    if not {Article._meta.db_table, User._meta.db_table} <= set(connection.introspection.table_names()):
        return
    articles, users = Article.objects.count(), User.objects.count()
    if articles or users:
        raise BackupRefused(
            f"The studio is not empty: it holds {articles} articles and {users} users."
            " With --replace the backup takes their place; make a backup of them first."
        )


def refuse_strange(manifest: Manifest) -> None:
    """Refuse what this studio could not go on with."""
    if manifest.store != connection.vendor:
        raise BackupRefused(
            f"The backup is of a studio on {manifest.store}, and this one is on {connection.vendor}. Set DATABASE_URL to"
            " a database of the same kind."
        )
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if unknown := sorted(set(manifest.migrations) - known):
        raise BackupRefused(
            f"The backup was made by another version, {manifest.version}: this one, {settings.VERSION}, does not know its"
            f" migration {unknown[0]}. Restore it with that version or a newer one."
        )
    if DATABASE not in manifest.parts:
        raise BackupRefused("The backup holds no database. Use another.")


def put_in_place(unpacked: Path) -> None:
    """All of it, or none: whichever part fails, those before it are taken back."""
    with ExitStack() as parts:
        for folder, place in places().items():
            parts.enter_context(brought(unpacked / folder, place))
        parts.enter_context(store_of(connection.vendor).loaded(unpacked / DATABASE))
        for place in places().values():
            parts.enter_context(exchanged(place))
        call_command("migrate", interactive=False, verbosity=0)
