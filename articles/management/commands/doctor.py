"""``manage.py doctor``: checks everything the studio needs."""

from __future__ import annotations

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from agents.contract import HealthCheck
from articles.management.quiet import warnings_only
from articles.operations.doctor import local_checks, models_in_use


class Command(BaseCommand):
    help = "Checks database, Redis, workers, model, search and settings, with advice. Exits with 1 if a check fails."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a list of objects instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        with warnings_only(options["verbosity"]):
            for check in all_checks():
                found.append(check)
                if not options["json"]:
                    self.show(check)
        if options["json"]:
            self.stdout.write(json.dumps([asdict(check) for check in found], indent=2, ensure_ascii=False))
        if any(check.verdict == "fail" for check in found):
            raise SystemExit(1)

    def show(self, check: HealthCheck) -> None:
        """Prints a check as soon as it is done: some take seconds."""
        style = {"ok": self.style.SUCCESS, "warn": self.style.WARNING, "fail": self.style.ERROR}[check.verdict]
        self.stdout.write(f"{style(check.verdict.ljust(4))}  {check.name.ljust(24)}  {check.finding}")
        if check.advice:
            self.stdout.write(f"{' ' * 32}{check.advice}")
        self.stdout.flush()


def all_checks() -> Iterator[HealthCheck]:
    yield from local_checks()
    if settings.HAS_MODEL:
        yield from asyncio.run(model_checks(models_in_use()))
    else:
        advice = "To use a model, set OPENAI_API_KEY or OPENAI_BASE_URL, and LLM_MODEL."
        yield HealthCheck("Model", "warn", "None is configured: the built-in writer only quotes sources.", advice)
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
        return HealthCheck("Search", "fail", str(error))
