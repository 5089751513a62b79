"""``manage.py restore``: a studio made what it was when a backup was taken."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from articles.exceptions import BackupRefused
from articles.management.commands.studio import hold_the_only_studio
from articles.operations.backup import restore_backup
from articles.runs.workers import living_workers


class Command(BaseCommand):
    help = "Puts a backup in the place of what the studio holds. It must not be running."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="what `manage.py backup` wrote")
        parser.add_argument("--replace", action="store_true", help="give up the articles and users that are there now")

    def handle(self, *args: Any, file: Path, replace: bool, **options: Any) -> None:
        with hold_the_only_studio():
            # The studio's own Redis ends with it; on another there may be workers of other machines, who would go on writing.
            if settings.REDIS_URL and living_workers():
                raise CommandError("Workers are running. Stop them all, wait half a minute, and try again.")
            try:
                manifest = restore_backup(file, replace=replace)
            except BackupRefused as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"Restored what version {manifest.version} held on {manifest.made_at:%Y-%m-%d %H:%M} UTC.")
