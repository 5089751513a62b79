"""``manage.py restore``: replaces the studio's data by a backup."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from articles.exceptions import BackupRefused
from articles.management.commands.studio import lock_data_directory
from articles.operations.backup import restore_backup
from articles.runs.workers import living_workers


class Command(BaseCommand):
    help = "Replaces the studio's data by a backup. The studio must not be running."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="an archive written by `manage.py backup`")
        parser.add_argument("--replace", action="store_true", help="delete the articles and users that exist now")

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        with lock_data_directory():
            # The embedded Redis stops with the studio. An external one may have workers on other machines.
            if settings.REDIS_URL and living_workers():
                raise CommandError("Workers are running. Stop them all, wait 30 seconds, then try again.")
            try:
                manifest = restore_backup(file, replace=replace)
            except BackupRefused as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"Restored the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC (version {manifest.version}).")
