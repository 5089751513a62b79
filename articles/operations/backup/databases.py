"""Copies a database while it is in use, and replaces it by a copy: SQLite and PostgreSQL."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from django.db import connection, connections, transaction
from psycopg.conninfo import make_conninfo

from articles.exceptions import BackupRefused
from contentstudio.runtime.parent_death import die_with_parent

OLD_SCHEMA = "studio_before_restore"
"""Holds the old tables until those of the backup are loaded."""

TIMEOUT_SINCE = 17
"""Programs since this version of PostgreSQL set a parameter that older servers do not know."""

CONNECTING = ("dbname", "user", "host", "port", "service", "sslmode", "sslrootcert")


class Store(Protocol):
    def size(self) -> int:
        """Bytes that a copy has at most."""

    def dump(self, target: Path) -> None:
        """Writes a consistent copy to ``target`` while the database is in use. Raises BackupRefused."""

    def loaded(self, source: Path) -> AbstractContextManager[None]:
        """Replaces the database by the copy. If that or the block fails, the old data is restored. Raises BackupRefused."""


class SQLite:
    """Uses SQLite's online backup API, which respects locks and the write-ahead log."""

    def size(self) -> int:
        with connection.cursor() as cursor:
            pages = cursor.execute("PRAGMA page_count").fetchone()[0]
            return int(pages * cursor.execute("PRAGMA page_size").fetchone()[0])

    def dump(self, target: Path) -> None:
        with (
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file without a log

    @contextmanager
    def loaded(self, source: Path) -> Iterator[None]:
        self.refuse_broken(source)
        old = source.with_name("database-before")
        try:
            self.dump(old)
            self.load(source)
        except sqlite3.Error as error:  # SQLite has rolled back
            raise BackupRefused(f"The backup's database cannot be loaded: {error}. Nothing was changed.") from error
        try:
            yield
        except BaseException:
            self.load(old)
            raise

    def refuse_broken(self, source: Path) -> None:
        with closing(sqlite3.connect(source)) as copy:
            try:
                broken = copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok"
            except sqlite3.DatabaseError as error:
                raise BackupRefused(f"The backup's database cannot be read: {error}. Use another backup.") from error
        if broken:
            raise BackupRefused("The backup's database is damaged. Use another backup.")

    def load(self, source: Path) -> None:
        connections.close_all()
        with (
            closing(sqlite3.connect(source)) as copy,
            closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=20)) as live,
        ):
            copy.backup(live)


class PostgreSQL:
    """Uses pg_dump and pg_restore with the custom format: an SQL script could run commands."""

    def size(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0])

    def dump(self, target: Path) -> None:
        program = client_program("pg_dump")
        options = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
        run(program, *options, f"--exclude-schema={OLD_SCHEMA}", f"--file={target}", f"--dbname={address()}")

    @contextmanager
    def loaded(self, source: Path) -> Iterator[None]:
        program = client_program("pg_restore")
        options = ["--no-owner", "--no-privileges", f"--dbname={address()}", str(source)]
        tolerant = server_version() < TIMEOUT_SINCE <= program_version(program)
        with old_tables_kept():
            connections.close_all()
            if tolerant:
                run(program, *options, accepted=is_unknown_timeout)
            else:
                run(program, "--single-transaction", "--exit-on-error", *options)
            yield


STORES: dict[str, Store] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}


def store_of(vendor: str) -> Store:
    return STORES[vendor]


@contextmanager
def old_tables_kept() -> Iterator[None]:
    """Empties the schema for the block. Afterwards the old tables are dropped, or moved back if the block failed.

    They are moved, not dropped, so they survive a crash in between.
    """
    schema = connection.ops.quote_name(current_schema())
    old = connection.ops.quote_name(OLD_SCHEMA)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [OLD_SCHEMA])
        if cursor.fetchone():
            raise BackupRefused(
                f"An earlier restore was interrupted: the old tables are in the schema {OLD_SCHEMA}. Move them back or drop it."
            )
        cursor.execute(f"CREATE SCHEMA {old}")
        move_tables(cursor, schema, old)
    try:
        yield
    except BaseException:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in tables(cursor):
                cursor.execute(f"DROP TABLE {schema}.{connection.ops.quote_name(table)} CASCADE")
            move_tables(cursor, old, schema, found_in=OLD_SCHEMA)
            cursor.execute(f"DROP SCHEMA {old}")
        raise
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {old} CASCADE")


def current_schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def tables(cursor: Any, schema: str | None = None) -> list[str]:
    """Names of the tables in the current or another schema."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = coalesce(%s, current_schema())", [schema])
    return [name for (name,) in cursor.fetchall()]


def move_tables(cursor: Any, source: str, target: str, found_in: str | None = None) -> None:
    """Moves tables with their indexes and sequences. ``source`` and ``target`` are quoted schema names."""
    for table in tables(cursor, found_in):
        cursor.execute(f"ALTER TABLE {source}.{connection.ops.quote_name(table)} SET SCHEMA {target}")


# PostgreSQL's programs


def client_program(name: str) -> str:
    """Its path. Raises BackupRefused if it is missing or older than the server, which it could not read."""
    server, path = server_version(), shutil.which(name)
    if path is None:
        raise BackupRefused(
            f"{name} is missing. Install the PostgreSQL client. On Debian: apt-get install postgresql-client-{server}."
        )
    if (own := program_version(path)) < server:
        raise BackupRefused(
            f"{name} is version {own}, but the server is PostgreSQL {server}."
            f" Install a newer client. On Debian: apt-get install postgresql-client-{server}."
        )
    return path


def server_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10000


def program_version(path: str) -> int:
    return major_version(run(path, "--version"))


def is_unknown_timeout(done: subprocess.CompletedProcess[str]) -> bool:
    """Whether pg_restore failed only to set ``transaction_timeout``, which servers before 17 do not have.

    It does so at the start, which would end a single transaction. Whatever else fails is no reason to go on.
    """
    return done.stderr.count("pg_restore: error:") == 1 and "Command was: SET transaction_timeout = 0;" in done.stderr


def major_version(text: str) -> int:
    """17 for “pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)”."""
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    return int(found[1]) if found else 0


def address() -> str:
    """The libpq connection string without the password, as command lines are public."""
    known = connection.get_connection_params()
    return make_conninfo("", **{name: known[name] for name in CONNECTING if known.get(name)})


def run(*command: str, accepted: Callable[[subprocess.CompletedProcess[str]], bool] | None = None) -> str:
    """The program's output. Raises BackupRefused with its error message if it fails, unless the failure is ``accepted``."""
    password = connection.settings_dict["PASSWORD"]
    environment = {**os.environ, "LC_MESSAGES": "C", **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(  # noqa: S603
        command,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=partial(die_with_parent, os.getpid()),  # a dump that nobody waits for would go on
    )
    if done.returncode and not (accepted and accepted(done)):
        message = done.stderr.strip().partition("\n")[0][:500]
        raise BackupRefused(f"{Path(command[0]).name} failed: {message or f'exit code {done.returncode}'}.")
    return done.stdout
