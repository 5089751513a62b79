"""Checks what the studio needs to run, each with a message and, if something is wrong, action.

Model and search are checked by ``agents.llm.diagnostics``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.db import DatabaseError, connection
from redis import Redis
from redis.exceptions import RedisError

from agents.contract import AgentConfig, HealthCheck
from agents.costs.prices import prices
from articles.exceptions import ExportFailed
from articles.exports import FORMATS, Document, export
from articles.operations.maintenance_checks import check_backup, check_space, database_checks
from articles.runs.agent_settings import customized_agents
from articles.runs.workers import Workers, read_workers
from contentstudio.runtime.migrations import missing_migrations
from contentstudio.runtime.redis_server import mask_password

LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "::1"}


def local_checks() -> list[HealthCheck]:
    """All checks that need no network, in the order in which the studio needs what they check."""
    return [*check_database(), *check_redis(), *check_web(), *check_files(), check_exports(), check_costs()]


def worst(checks: Iterable[HealthCheck]) -> str:
    states = {check.state for check in checks}
    return "error" if "error" in states else "warning" if "warning" in states else "ok"


def as_report(checks: Sequence[HealthCheck]) -> dict[str, Any]:
    """For scripts: keys and ids stay the same from version to version, messages do not."""
    return {
        "version": settings.VERSION,
        "state": worst(checks),
        "checks": [{"id": check.id, **asdict(check)} for check in checks],
    }


# Database


def check_database() -> Iterator[HealthCheck]:
    tables = check_tables()
    yield tables
    try:
        connection.ensure_connection()
    except DatabaseError:
        return
    yield from database_checks()
    if tables.state == "ok" and connection.vendor == "sqlite":
        yield check_journal_mode()


def check_tables() -> HealthCheck:
    """Whether the database can be reached and has the tables of this version."""
    name = "Database"
    try:
        missing = missing_migrations()
    except DatabaseError as error:
        return HealthCheck(
            name,
            "error",
            f"It cannot be reached: {first_line(error)}",
            "Check DATABASE_URL, and whether the server runs.",
        )
    if missing:
        action = "Run `make run` or `manage.py migrate`."
        return HealthCheck(
            name, "error", f"{missing} {'migration is' if missing == 1 else 'migrations are'} missing.", action
        )
    return HealthCheck(name, "ok", f"{connection.display_name} answers, and its tables are up to date.")


def check_journal_mode() -> HealthCheck:
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        action = "Move VAR to a local disk: network file systems do not support a write-ahead log."
        return HealthCheck(
            "Write-ahead log", "error", f"It is off ({mode}), so readers and writers block each other.", action
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
        action = "Start it, or check REDIS_URL. Without REDIS_URL the studio starts its own Redis."
        return HealthCheck("Redis", "error", f"{address} cannot be reached: {first_line(error)}", action)
    action = "Start the studio with `make run`. `manage.py write` works without Redis."
    return HealthCheck(
        "Redis", "warning", "The embedded Redis is not running, so the pages cannot start articles.", action
    )


def check_workers(workers: Workers) -> HealthCheck:
    silent = f" {workers.silent} without a heartbeat." if workers.silent else ""
    if not workers.living:
        action = "Start the studio with `make run`, or workers alone with `manage.py workers`."
        return HealthCheck("Workers", "error", f"None is running, so articles have to wait.{silent}", action)
    at_once = f"{workers.capacity} article{'' if workers.capacity == 1 else 's'} at once"
    return HealthCheck("Workers", "ok", f"{workers.living} running, for {at_once}.{silent}")


# Web


def check_web() -> Iterator[HealthCheck]:
    if settings.DEBUG:
        action = "Set DEBUG=false if others can reach the studio: error pages show settings and code."
        yield HealthCheck("Debugging", "warning", "DEBUG is on.", action)
    yield check_hosts(settings.ALLOWED_HOSTS, https=settings.HTTPS)
    yield check_secret(settings.SECRET_KEY, settings.VAR / "secret-key")


def check_hosts(hosts: list[str], *, https: bool) -> HealthCheck:
    if "*" in hosts:
        action = "List the hosts in ALLOWED_HOSTS: with * the studio answers to any host name, which helps DNS rebinding attacks."
        return HealthCheck("Hosts", "warning", "ALLOWED_HOSTS contains *.", action)
    foreign = sorted(set(hosts) - LOCAL_HOSTS)
    if foreign and not https:
        action = "Serve it behind TLS and set HTTPS=true: without it passwords and keys are sent unencrypted."
        return HealthCheck("Hosts", "warning", f"{', '.join(foreign)} is served without HTTPS.", action)
    return HealthCheck("Hosts", "ok", f"Serves {', '.join(hosts)}.")


def check_secret(secret: str, kept: Path) -> HealthCheck:
    """``kept`` is the file with the generated secret, used if none is set."""
    if len(secret) < 40 or secret.startswith("django-insecure"):
        action = "Set SECRET_KEY to at least 50 random characters, or leave it empty: the studio then generates one."
        return HealthCheck("Secret", "warning", "SECRET_KEY can be guessed, so sessions can be forged.", action)
    if kept.exists() and kept.stat().st_mode & 0o077:
        return HealthCheck("Secret", "warning", f"Other users can read {kept}.", f"Run chmod 600 {kept}")
    return HealthCheck("Secret", "ok", "It is long enough and stored.")


# Files


def check_files() -> Iterator[HealthCheck]:
    if not settings.DEBUG and not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        action = "Run `make run` or `manage.py collectstatic`."
        yield HealthCheck("Static files", "warning", "They are not collected, so pages cannot be displayed.", action)
    else:
        yield HealthCheck("Static files", "ok", "They are collected.")
    yield check_storage("Pictures", storages["default"])
    yield check_storage("Uploads", storages["uploads"])
    yield check_space()
    yield check_backup()


def check_storage(name: str, storage: Storage) -> HealthCheck:
    """Whether files can be stored: in a folder, or in a bucket, where one is stored, read and deleted."""
    if isinstance(storage, FileSystemStorage):
        return check_writable(name, Path(storage.path("")))
    try:
        stored = storage.save("doctor.txt", ContentFile(b"A check. It can be deleted."))
        with storage.open(stored):
            storage.delete(stored)
    except OSError as error:
        action = (
            "Check S3_BUCKET, S3_ENDPOINT_URL, S3_REGION and the keys: they must allow to list, get, put and delete."
        )
        return HealthCheck(name, "error", f"Nothing can be stored in the bucket: {error}.", action)
    return HealthCheck(name, "ok", f"The bucket {settings.S3_BUCKET} can be written to.")


def check_writable(name: str, directory: Path) -> HealthCheck:
    """Whether files can be created in ``directory``, which itself is created with the first file."""
    existing = next(place for place in (directory, *directory.parents) if place.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        return HealthCheck(name, "error", f"{existing} is not writable.", "Change its owner with chown, or set VAR.")
    return HealthCheck(name, "ok", f"{directory} is writable.")


def check_exports() -> HealthCheck:
    """Exports a sample in each format."""
    sample = Document(title="A sample", markdown="One sentence.[^1]\n\n[^1]: A note.\n", author="", date=date.today())  # noqa: DTZ011
    began = time.monotonic()
    for format, kind in FORMATS.items():
        try:
            export(sample, format)
        except (ExportFailed, OSError) as error:
            action = "Install the requirements again with `make run`. They include Pandoc and Typst."
            return HealthCheck("Exports", "error", f"{kind.label}: {first_line(error)}", action)
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
    message = f"There is no price for {', '.join(unpriced)}{effect}."
    return HealthCheck(
        "Costs", "warning", message, "Add their prices to a file and set PRICES_FILE; 0 for your own server."
    )


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
