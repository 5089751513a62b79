"""``manage.py backup``: the whole studio in one file, also while it runs."""

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
        "Writes database, pictures, uploads and settings, without their secrets, to FILE (.tar.gz); the studio may run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, metavar="FILE", help="where to; what is there is replaced once it is whole"
        )

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = make_backup(file)
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        files = sum(name.count("/") > 0 for name in manifest.parts)
        self.stdout.write(f"{file}: the database and {files} files, {filesizeformat(file.stat().st_size)}.")
