"""``manage.py healthcheck``: the health of one role on this machine."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contentstudio.runtime import healthcheck


class Command(BaseCommand):
    help = "Checks web, workers and sweeper on this machine by their answers and heartbeats. Exits with 1 if one is unhealthy."
    requires_system_checks = []  # they import every page

    def add_arguments(self, parser: ArgumentParser) -> None:
        healthcheck.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if found := healthcheck.problems(**options):
            raise CommandError("\n".join(found))
        self.stdout.write("healthy")
