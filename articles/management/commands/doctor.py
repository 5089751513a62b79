"""``manage.py doctor``: checks everything the studio needs."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from agents.contract import HealthCheck
from articles.management.quiet import warnings_only
from articles.operations.doctor import as_report, local_checks, models_in_use, worst


class Command(BaseCommand):
    help = (
        "Checks database, Redis, workers, model, search and settings, with advice. Exits with 1 if one finds an error."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print an object with the list of checks instead of a table"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found: list[HealthCheck] = []
        with warnings_only(options["verbosity"]):
            for check in all_checks():
                found.append(check)
                if not options["json"]:
                    self.show(check)
        if options["json"]:
            self.stdout.write(json.dumps(as_report(found), indent=2, ensure_ascii=False))
        if worst(found) == "error":
            raise SystemExit(1)

    def show(self, check: HealthCheck) -> None:
        """Prints a check as soon as it is done: some take seconds."""
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "error": self.style.ERROR}[check.state]
        self.stdout.write(f"{style(check.state.ljust(7))}  {check.title.ljust(24)}  {check.message}")
        if check.action:
            self.stdout.write(f"{' ' * 35}{check.action}")
        self.stdout.flush()


def all_checks() -> Iterator[HealthCheck]:
    yield from local_checks()
    if settings.HAS_MODEL:
        yield from asyncio.run(model_checks(models_in_use()))
    else:
        action = "To use a model, set OPENAI_API_KEY or OPENAI_BASE_URL, and LLM_MODEL."
        yield HealthCheck("Model", "warning", "None is configured: the built-in writer only quotes sources.", action)
    yield asyncio.run(search_check())


async def model_checks(models: set[str]) -> list[HealthCheck]:
    # Imported here because the openai client takes a second to import.
    from agents.llm.client import model_client
    from agents.llm.diagnostics import probe_model

    async with model_client() as client:
        return await probe_model(client, models=models, image_model=settings.IMAGE_MODEL)


async def search_check() -> HealthCheck:
    from agents.exceptions import SearchFailed
    from agents.llm.diagnostics import probe_search
    from agents.research.factory import search_from_settings

    try:
        return await probe_search(search_from_settings())
    except SearchFailed as error:
        return HealthCheck("Search", "error", str(error))
