"""``manage.py personaldata``: exports or deletes what the studio stores of a person."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from accounts.audit import record
from accounts.models import AuditAction
from accounts.personal_data.archive import write_archive
from accounts.personal_data.deletion import delete_person
from articles.exceptions import StudioError


class Command(BaseCommand):
    help = "Exports what the studio stores of a user to a ZIP archive, or deletes the user with all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="write a ZIP archive")
        export.add_argument("user")
        export.add_argument("file", type=Path, metavar="FILE")
        delete = actions.add_parser("delete", help="delete the user, their articles and files")
        delete.add_argument("user")
        delete.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, action: str, user: str, **options: Any) -> None:
        person = User.objects.filter(username=user).first()
        if person is None:
            raise CommandError(f"There is no user “{user}”.")
        if action == "export":
            self.export(person, options["file"])
        else:
            self.delete(person, asks=not options["yes"])

    def export(self, person: User, path: Path) -> None:
        try:
            with path.open("xb") as file:
                path.chmod(0o600)
                write_archive(person, file)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        record(AuditAction.DATA_EXPORTED, account=person.get_username())
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes")

    def delete(self, person: User, *, asks: bool) -> None:
        name, articles = person.get_username(), person.articles.count()
        if asks and input(f"Type {name} to delete this user with {articles} articles: ").strip() != name:
            raise CommandError("Nothing was deleted.")
        try:
            delete_person(person, by=None)
        except StudioError as error:
            raise CommandError(f"Nothing was deleted. {error}") from error
        self.stdout.write(f"Deleted {name} and {articles} articles.")
