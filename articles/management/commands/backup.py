"""``manage.py backup``: writes the whole studio to one file. It may be running."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from articles.exceptions import BackupRefused
from articles.operations.backup import make_backup


class Command(BaseCommand):
    help = (
        "Writes database, images, uploads and settings (without secrets) to FILE (.tar.gz). The studio may be running."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            metavar="FILE",
            help="the archive; an existing file is replaced when the new one is complete",
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = make_backup(file)
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        files = sum(name.count("/") > 0 for name in manifest.parts)
        self.stdout.write(f"{file}: the database and {files} files, {filesizeformat(file.stat().st_size)}.")
