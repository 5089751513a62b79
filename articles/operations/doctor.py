"""Checks what the studio needs to run, each with a finding and, if something is wrong, advice.

Model and search are checked by ``agents.llm.diagnostics``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from redis import Redis
from redis.exceptions import RedisError

from agents.contract import AgentConfig, HealthCheck
from agents.costs.prices import prices
from articles.exceptions import ExportFailed
from articles.exports import FORMATS, Document, export
from articles.runs.agent_settings import customized_agents
from articles.runs.workers import Workers, read_workers
from contentstudio.runtime.migrations import missing_migrations
from contentstudio.runtime.redis_server import mask_password

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "::1"}


def local_checks() -> list[HealthCheck]:
    """All checks that need no network, in the order in which the studio needs what they check."""
    return [*check_database(), *check_redis(), *check_web(), *check_files(), check_exports(), check_costs()]


# Database


def check_database() -> Iterator[HealthCheck]:
    tables = check_tables()
    yield tables
    if tables.verdict == "ok" and connection.vendor == "sqlite":
        yield check_journal_mode()


def check_tables() -> HealthCheck:
    """Whether the database can be reached and has the tables of this version."""
    name = "Database"
    try:
        missing = missing_migrations()
    except DatabaseError as error:
        return HealthCheck(
            name,
            "fail",
            f"It cannot be reached: {first_line(error)}",
            "Check DATABASE_URL, and whether the server runs.",
        )
    if missing:
        advice = "Run `make run` or `manage.py migrate`."
        return HealthCheck(
            name, "fail", f"{missing} {'migration is' if missing == 1 else 'migrations are'} missing.", advice
        )
    return HealthCheck(name, "ok", f"{connection.display_name} answers, and its tables are up to date.")


def check_journal_mode() -> HealthCheck:
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        advice = "Move VAR to a local disk: network file systems do not support a write-ahead log."
        return HealthCheck(
            "Write-ahead log", "fail", f"It is off ({mode}), so readers and writers block each other.", advice
        )
    return HealthCheck("Write-ahead log", "ok", "It is on.")


# Redis and workers


def check_redis() -> Iterator[HealthCheck]:
    address = mask_password(settings.REDIS_ADDRESS)
    with Redis.from_url(settings.REDIS_ADDRESS, socket_timeout=3, socket_connect_timeout=3) as redis:
        try:
            server = redis.info("server")
        except (RedisError, OSError) as error:
            yield redis_is_away(address, error)
            return
        kind = (
            f"Valkey {server['valkey_version']}" if "valkey_version" in server else f"Redis {server['redis_version']}"
        )
        yield HealthCheck("Redis", "ok", f"{kind} answers at {address}.")
        yield check_workers(read_workers() or Workers())


def redis_is_away(address: str, error: Exception) -> HealthCheck:
    if settings.REDIS_URL:
        advice = "Start it, or check REDIS_URL. Without REDIS_URL the studio starts its own Redis."
        return HealthCheck("Redis", "fail", f"{address} cannot be reached: {first_line(error)}", advice)
    advice = "Start the studio with `make run`. `manage.py write` works without Redis."
    return HealthCheck(
        "Redis", "warn", "The embedded Redis is not running, so the pages cannot start articles.", advice
    )


def check_workers(workers: Workers) -> HealthCheck:
    silent = f" {workers.silent} without a heartbeat." if workers.silent else ""
    if not workers.living:
        advice = "Start the studio with `make run`, or workers alone with `manage.py workers`."
        return HealthCheck("Workers", "fail", f"None is running, so articles have to wait.{silent}", advice)
    at_once = f"{workers.capacity} article{'' if workers.capacity == 1 else 's'} at once"
    return HealthCheck("Workers", "ok", f"{workers.living} running, for {at_once}.{silent}")


# Web


def check_web() -> Iterator[HealthCheck]:
    if settings.DEBUG:
        advice = "Set DEBUG=false if others can reach the studio: error pages show settings and code."
        yield HealthCheck("Debugging", "warn", "DEBUG is on.", advice)
    yield check_hosts(settings.ALLOWED_HOSTS, https=settings.HTTPS)
    yield check_secret(settings.SECRET_KEY, settings.VAR / "secret-key")


def check_hosts(hosts: list[str], *, https: bool) -> HealthCheck:
    if "*" in hosts:
        advice = "List the hosts in ALLOWED_HOSTS: with * the studio answers to any host name, which helps DNS rebinding attacks."
        return HealthCheck("Hosts", "warn", "ALLOWED_HOSTS contains *.", advice)
    foreign = sorted(set(hosts) - LOCAL_HOSTS)
    if foreign and not https:
        advice = "Serve it behind TLS and set HTTPS=true: without it passwords and keys are sent unencrypted."
        return HealthCheck("Hosts", "warn", f"{', '.join(foreign)} is served without HTTPS.", advice)
    return HealthCheck("Hosts", "ok", f"Serves {', '.join(hosts)}.")


def check_secret(secret: str, kept: Path) -> HealthCheck:
    """``kept`` is the file with the generated secret, used if none is set."""
    if len(secret) < 40 or secret.startswith("django-insecure"):
        advice = "Set SECRET_KEY to at least 50 random characters, or leave it empty: the studio then generates one."
        return HealthCheck("Secret", "warn", "SECRET_KEY can be guessed, so sessions can be forged.", advice)
    if kept.exists() and kept.stat().st_mode & 0o077:
        return HealthCheck("Secret", "warn", f"Other users can read {kept}.", f"Run chmod 600 {kept}")
    return HealthCheck("Secret", "ok", "It is long enough and stored.")


# Files


def check_files() -> Iterator[HealthCheck]:
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        advice = "Run `make run` or `manage.py collectstatic`."
        yield HealthCheck("Static files", "warn", "They are not collected, so pages cannot be displayed.", advice)
    else:
        yield HealthCheck("Static files", "ok", "They are collected.")
    for place, directory in (("Pictures", Path(settings.MEDIA_ROOT)), ("Uploads", settings.VAR / "uploads")):
        yield check_writable(place, directory)


def check_writable(name: str, directory: Path) -> HealthCheck:
    """Whether files can be created in ``directory``, which itself is created with the first file."""
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return HealthCheck(name, "fail", f"{existing} is not writable.", "Change its owner with chown, or set VAR.")
    return HealthCheck(name, "ok", f"{directory} is writable.")


def check_exports() -> HealthCheck:
    """Exports a sample in each format."""
    sample = Document(title="A sample", markdown="One sentence.[^1]\n\n[^1]: A note.\n", author="", date=date.today())  # noqa: DTZ011
    began = time.monotonic()
    for format, kind in FORMATS.items():
        try:
            export(sample, format)
        except (ExportFailed, OSError) as error:
            advice = "Install the requirements again with `make run`. They include Pandoc and Typst."
            return HealthCheck("Exports", "fail", f"{kind.label}: {first_line(error)}", advice)
    labels = ", ".join(kind.label for kind in FORMATS.values())
    return HealthCheck("Exports", "ok", f"{labels} exported in {time.monotonic() - began:.1f} s.")


# Costs


def models_in_use() -> set[str]:
    """The models of the six agents, with the changes made in the admin if the database can be reached."""
    try:
        own = customized_agents()
    except DatabaseError:  # reported by check_tables
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
        "Costs", "warn", finding, "Add their prices to a file and set PRICES_FILE; 0 for your own server."
    )


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
