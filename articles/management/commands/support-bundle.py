"""``manage.py support-bundle``: a file for those who help with a problem."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from articles.management.commands.doctor import all_checks
from articles.management.quiet import warnings_only
from articles.operations.support import write_bundle


class Command(BaseCommand):
    help = "Writes a zip file for support: doctor, versions, settings, figures and log, without secrets or texts."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", metavar="FILE", help="the zip file (default: a new one in this directory)"
        )
        parser.add_argument(
            "--log",
            type=Path,
            action="append",
            metavar="LOG",
            help="a log file, or - for standard input (default: what `make run` wrote to studio.log in VAR)",
        )

    def handle(self, *args: Any, file: Path | None, log: list[Path] | None, **options: Any) -> None:
        target = file or Path(f"studio-support-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.zip")
        logs = log or [
            path
            for path in (settings.RECENT_LOG.with_name(f"{settings.RECENT_LOG.name}.1"), settings.RECENT_LOG)
            if path.exists()
        ]
        try:
            with warnings_only(options["verbosity"]):
                names = write_bundle(target, list(all_checks()), [line for path in logs for line in lines_of(path)])
        except OSError as error:
            raise CommandError(f"The bundle cannot be written: {error}") from error
        self.stdout.write(f"{target}: {', '.join(names)}. Read them before you send the file.")
        if not logs:
            self.stdout.write("It has no log. Add one with --log; docs/operations.md shows how.")


def lines_of(path: Path) -> Iterable[str]:
    """Raises OSError."""
    if str(path) == "-":
        return sys.stdin
    return path.read_text(errors="replace").splitlines()
