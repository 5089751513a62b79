"""``manage.py apikey``: creates an API key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from articles.exceptions import QuotaReached
from articles.models import ApiKey
from articles.quotas.totals import issue_key


class Command(BaseCommand):
    help = "Creates an API key for a user and prints it once. Only its hash is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the user the key belongs to")
        parser.add_argument("--name", default="command line", help="name of the key (default: command line)")
        parser.add_argument("--days", type=int, help="days until it expires (default: it does not)")
        parser.add_argument("--read-only", action="store_true", help="the key can read, but change nothing")

    def handle(self, *args: Any, user: str, name: str, days: int | None, read_only: bool, **options: Any) -> None:
        owner = User.objects.filter(username=user).first()
        if owner is None:
            raise CommandError(
                f"There is no user “{user}”. Create one in the admin or with `manage.py createsuperuser`."
            )
        if not owner.is_active:
            raise CommandError(f"“{user}” is inactive, so the key would not work. Activate the user first.")
        longest = ApiKey._meta.get_field("name").max_length
        if not name.strip() or len(name) > (longest or 0):
            raise CommandError(f"--name must have 1 to {longest} characters.")
        if days is not None and days < 1:
            raise CommandError("--days must be at least 1.")
        try:
            _, key = issue_key(owner, name.strip(), days=days, read_only=read_only)
        except QuotaReached as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key)
