"""Exports of a person's data: requested on a page, made by the sweeper, downloaded within three days, then deleted."""

from __future__ import annotations

import logging
import tempfile
import threading
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.audit import record
from accounts.models import AuditAction, DataExport
from accounts.personal_data.archive import write_archive
from contentstudio.stored_files import files_of

log = logging.getLogger(__name__)

FOLDER = "personal-data"
GIVEN_UP = timedelta(hours=1)
"""A sweeper that has begun so long ago was killed: another one begins again."""
FAILED = "The export could not be made. Try again; the log of the studio has the details."


def request_export(user: User, *, by: User) -> DataExport:
    """An export that waits to be made, or the one that already does. Earlier ones are deleted."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        found = user.data_exports.filter(finished_at=None).first()
        if found is None:
            earlier = list(user.data_exports.all())
            found = DataExport.objects.create(user=user, requested_by=by)
            transaction.on_commit(lambda: delete_exports(earlier))
            record(AuditAction.DATA_EXPORTED, account=user.get_username())
    return found


def make_next_export() -> bool:
    """Make the oldest export that waits. False if none does. Safe to run in several copies: one of them claims it."""
    now = timezone.now()
    waiting = Q(started_at=None) | Q(started_at__lt=now - GIVEN_UP)
    due = DataExport.objects.filter(waiting, finished_at=None)
    export = due.select_related("user").order_by("pk").first()
    if export is None:
        return False
    if due.filter(pk=export.pk).update(started_at=now) != 1:
        return True
    try:
        name, size = stored_archive(export.user)
    except Exception:
        log.exception("The export of the data of user %s failed", export.user_id)
        finish(export, problem=FAILED)
    else:
        if not finish(export, file=name, size=size):  # the user was deleted meanwhile
            storages["uploads"].delete(name)
    return True


def finish(export: DataExport, **columns: object) -> int:
    return DataExport.objects.filter(pk=export.pk).update(finished_at=timezone.now(), **columns)


def stored_archive(user: User) -> tuple[str, int]:
    """Writes the archive. Returns its name in the storage and its size.

    First to VAR: the directory for temporary files may be in memory, and an archive may have gigabytes.
    """
    with tempfile.TemporaryFile(dir=settings.VAR) as file:
        write_archive(user, file)
        size = file.tell()
        file.seek(0)
        return storages["uploads"].save(f"{FOLDER}/{uuid4().hex}.zip", File(file)), size


def delete_exports(exports: list[DataExport]) -> None:
    """The rows first: a file without a row is removed by the next clean-up."""
    DataExport.objects.filter(pk__in=[export.pk for export in exports]).delete()
    for export in exports:
        if export.file:
            storages["uploads"].delete(export.file)


def clean_up_exports() -> int:
    """Delete expired exports, and files whose row is gone. Returns how many files."""
    delete_exports(list(DataExport.objects.expired()))
    storage, oldest = storages["uploads"], timezone.now() - GIVEN_UP
    old = [file.name for file in files_of(storage) if file.name.startswith(f"{FOLDER}/") and file.modified < oldest]
    known = set(DataExport.objects.values_list("file", flat=True)) if old else set()
    orphans = [name for name in old if name not in known]
    for name in orphans:
        storage.delete(name)
    return len(orphans)


class ExportThread:
    """Makes exports beside the sweeper's own work, which must not wait for a large one."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def start_if_needed(self) -> None:
        if self._thread and self._thread.is_alive():
            return
        if DataExport.objects.filter(finished_at=None).exists():
            self._thread = threading.Thread(target=self._work, name="data-exports", daemon=True)
            self._thread.start()

    @staticmethod
    def _work() -> None:
        try:
            while make_next_export():
                pass
        except Exception:
            log.exception("Exports of personal data are tried again")
        finally:
            connections.close_all()
