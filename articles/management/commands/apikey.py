"""``manage.py apikey``: a key for the API."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from articles.models import ApiKey


class Command(BaseCommand):
    help = "Makes an API key for a user and prints it, this once. Only a hash of it is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="whose key it is")
        parser.add_argument("--name", default="command line", help="what it is for (default: command line)")

    def handle(self, *args: Any, user: str, name: str, **options: Any) -> None:
        owner = User.objects.filter(username=user).first()
        if owner is None:
            raise CommandError(
                f"There is no user “{user}”. Make one in the admin, or with `manage.py createsuperuser`."
            )
        if not owner.is_active:
            raise CommandError(f"“{user}” is not active, so the key would be refused. Activate the user first.")
        longest = ApiKey._meta.get_field("name").max_length
        if not name.strip() or len(name) > (longest or 0):
            raise CommandError(f"--name has 1 to {longest} characters.")
        _, key = ApiKey.objects.issue(owner, name.strip())
        self.stdout.write(key)
