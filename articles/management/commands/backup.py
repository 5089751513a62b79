"""``manage.py backup``: writes the whole studio to one file. It may be running."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from articles.exceptions import BackupRefused
from articles.operations.backup import make_backup
from articles.operations.backup.automatic import Reason, make_scheduled_backup, new_file, record_success


class Command(BaseCommand):
    help = (
        "Writes database, images, uploads and settings (without secrets) to FILE (.tar.gz). The studio may be running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE",
            nargs="?",
            help="the archive; an existing file is replaced when the new one is complete (default: a new file in BACKUP_DIR)",
        )
        parser.add_argument(
            "--scheduled",
            action="store_true",
            help="only if a backup is due by BACKUP_EVERY_HOURS; then delete old ones. The sweeper runs this",
        )

    def handle(self, *args: Any, file: Path | None, scheduled: bool, **options: Any) -> None:
        if scheduled and file:
            raise CommandError("--scheduled chooses the file. Give one or the other.")
        try:
            if scheduled:
                make_scheduled_backup()
                return
            target = file or new_file(Reason.REQUEST)
            manifest = make_backup(target)
        except BackupRefused as error:
            if scheduled:  # its failure is logged and recorded
                raise SystemExit(1) from error
            raise CommandError(str(error)) from error
        record_success(target)
        files = sum(name.count("/") > 0 for name in manifest.parts)
        self.stdout.write(f"{target}: the database and {files} files, {filesizeformat(target.stat().st_size)}.")
