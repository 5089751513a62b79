"""Looks at what the studio stands on. Each function gives checks: how it is, and what to do where that is not well.

The model and the search are looked at by ``agents.llm.diagnostics``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis import Redis
from redis.exceptions import RedisError
from rq import Worker

from agents.contract import AgentConfig, HealthCheck
from agents.costs.prices import prices
from articles.exceptions import ExportFailed
from articles.exports import FORMATS, Document, export
from articles.runs.agent_settings import customized_agents
from contentstudio.runtime.redis_server import mask_password

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "::1"}


def local_checks() -> list[HealthCheck]:
    """Everything that can be told without the network, in the order in which the studio needs it."""
    return [*check_database(), *check_redis(), *check_web(), *check_files(), check_exports(), check_costs()]


# The store


def check_database() -> Iterator[HealthCheck]:
    tables = check_tables()
    yield tables
    if tables.verdict == "ok" and connection.vendor == "sqlite":
        yield check_journal_mode()


def check_tables() -> HealthCheck:
    """Can the store be reached, and has it the tables of this version?"""
    name = "Database"
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        return HealthCheck(
            name, "fail", f"It cannot be reached: {first_line(error)}", "Check DATABASE_URL, and that it runs."
        )
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        advice = "Run `make run`, which brings them up to date, or `manage.py migrate`."
        return HealthCheck(
            name, "fail", f"Its tables are not those of this version: {missing} migrations are missing.", advice
        )
    return HealthCheck(name, "ok", f"{connection.display_name} answers, and its tables are up to date.")


def check_journal_mode() -> HealthCheck:
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        advice = "Keep the file on a local disk: network file systems cannot hold a write-ahead log."
        return HealthCheck(
            "Write-ahead log", "fail", f"It is off ({mode}), so readers and writers block one another.", advice
        )
    return HealthCheck("Write-ahead log", "ok", "It is on.")


# Redis and the workers


def check_redis() -> Iterator[HealthCheck]:
    address = mask_password(settings.REDIS_ADDRESS)
    with Redis.from_url(settings.REDIS_ADDRESS, socket_timeout=3, socket_connect_timeout=3) as redis:
        try:
            server = redis.info("server")
            workers = Worker.all(connection=redis)
        except (RedisError, OSError) as error:
            yield redis_is_away(address, error)
            return
        kind = (
            f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {server['redis_version']}"
        )
        yield HealthCheck("Redis", "ok", f"{kind} answers at {address}.")
        yield check_workers([worker.last_heartbeat for worker in workers])


def redis_is_away(address: str, error: Exception) -> HealthCheck:
    if settings.REDIS_URL:
        advice = "Start it, or check REDIS_URL. Without REDIS_URL the studio starts a Redis of its own."
        return HealthCheck("Redis", "fail", f"{address} cannot be reached: {first_line(error)}", advice)
    advice = "Start the studio with `make run`. `manage.py write` works without."
    return HealthCheck(
        "Redis", "warn", "The studio's own Redis is not running, so nothing is written from the pages.", advice
    )


def check_workers(heartbeats: list[datetime | None]) -> HealthCheck:
    """``heartbeats`` is when each worker last said that it lives."""
    if not heartbeats:
        advice = "Start the studio with `make run`, or workers alone with `manage.py workers`."
        return HealthCheck("Workers", "fail", "None is running, so articles wait.", advice)
    last = max((aware(beat) for beat in heartbeats if beat), default=None)
    ago = f"{(datetime.now(UTC) - last).total_seconds():.0f} s ago" if last else "never"
    return HealthCheck("Workers", "ok", f"{len(heartbeats)} running; the last sign of life was {ago}.")


def aware(moment: datetime) -> datetime:
    """RQ has given times in UTC without saying so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# What browsers meet


def check_web() -> Iterator[HealthCheck]:
    if settings.DEBUG:
        advice = "Set DEBUG=false where others can reach the studio: its error pages show what is inside."
        yield HealthCheck("Debugging", "warn", "DEBUG is on.", advice)
    yield check_hosts(settings.ALLOWED_HOSTS, https=settings.HTTPS)
    yield check_secret(settings.SECRET_KEY, settings.VAR / "secret-key")


def check_hosts(hosts: list[str], *, https: bool) -> HealthCheck:
    if "*" in hosts:
        advice = "Name the hosts in ALLOWED_HOSTS: with * any site may open sockets in a signed-in person's name."
        return HealthCheck("Hosts", "warn", "ALLOWED_HOSTS holds *.", advice)
    foreign = sorted(set(hosts) - LOCAL_HOSTS)
    if foreign and not https:
        advice = "Serve it behind TLS and set HTTPS=true: passwords and keys travel in the clear without."
        return HealthCheck("Hosts", "warn", f"{', '.join(foreign)} is served without HTTPS.", advice)
    return HealthCheck("Hosts", "ok", f"Answers to {', '.join(hosts)}.")


def check_secret(secret: str, kept: Path) -> HealthCheck:
    """``kept`` is the file that holds the secret where none was set."""
    if len(secret) < 40 or secret.startswith("django-insecure"):
        advice = "Set SECRET_KEY to at least 50 random characters, or to nothing: the studio then makes its own."
        return HealthCheck("Secret", "warn", "SECRET_KEY can be guessed, and sessions can be forged with it.", advice)
    if kept.exists() and kept.stat().st_mode & 0o077:
        return HealthCheck("Secret", "warn", f"Others may read {kept}.", f"Close it: chmod 600 {kept}")
    return HealthCheck("Secret", "ok", "It is long, and kept.")


# Files


def check_files() -> Iterator[HealthCheck]:
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        advice = "Run `make run`, which does it, or `manage.py collectstatic`."
        yield HealthCheck("Static files", "warn", "They are not collected, so pages cannot be shown.", advice)
    else:
        yield HealthCheck("Static files", "ok", "They are in their place.")
    for place, directory in (("Pictures", Path(settings.MEDIA_ROOT)), ("Uploads", settings.VAR / "uploads")):
        yield check_writable(place, directory)


def check_writable(name: str, directory: Path) -> HealthCheck:
    """May files be put into ``directory``, which is made with the first one?"""
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return HealthCheck(name, "fail", f"{existing} cannot be written to.", "Make it this user's: chown, or set VAR.")
    return HealthCheck(name, "ok", f"{directory} can be written to.")


def check_exports() -> HealthCheck:
    """Make a small file of each kind, as a download would."""
    sample = Document(title="A sample", markdown="One sentence.[^1]\n\n[^1]: A note.\n", author="", date=date.today())  # noqa: DTZ011
    began = time.monotonic()
    for format, kind in FORMATS.items():
        try:
            export(sample, format)
        except (ExportFailed, OSError) as error:
            advice = "Install the requirements again: `make run` does it. Pandoc and Typst come with them."
            return HealthCheck("Exports", "fail", f"{kind.label}: {first_line(error)}", advice)
    labels = ", ".join(kind.label for kind in FORMATS.values())
    return HealthCheck("Exports", "ok", f"{labels}: made in {time.monotonic() - began:.1f} s.")


# Models and what they cost


def models_in_use() -> set[str]:
    """The models the six agents ask, as editors set them up over the settings; the settings' alone where the store is away."""
    try:
        own = customized_agents()
    except DatabaseError:  # which the check of the database tells
        own = {}
    return {own.get(stage, AgentConfig()).model or model for stage, model in settings.LLM_MODELS.items()}


def check_costs() -> HealthCheck:
    """Whether all models have a price: spending limits cannot include those without."""
    table = prices()
    drawing = [settings.IMAGE_MODEL] if settings.IMAGE_MODEL else []
    used = {*models_in_use(), *drawing} if settings.HAS_MODEL else set()
    unpriced = sorted(model for model in used if table.of(model) is None)
    if not unpriced:
        return HealthCheck("Costs", "ok", f"Counted by the prices of {table.source}, {table.date}.")
    limited = settings.MAX_COST_PER_RUN or settings.MAX_COST_PER_MONTH
    effect = f", so {'its' if len(unpriced) == 1 else 'their'} cost cannot be limited" if limited else ""
    finding = f"There is no price for {', '.join(unpriced)}{effect}."
    return HealthCheck(
        "Costs", "warn", finding, "Give their prices in a file that PRICES_FILE names; 0 for a server of your own."
    )


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
