"""How each kind of database is copied while it is written to, and how a copy is put in its place."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.db import connection, connections, transaction
from psycopg.conninfo import make_conninfo

from articles.exceptions import BackupRefused

ASIDE = "studio_before_restore"
"""The schema that holds the tables of before, until those of the backup are in."""

CONNECTING = ("dbname", "user", "host", "port", "service", "sslmode", "sslrootcert")


class Store(Protocol):
    def dump(self, target: Path) -> None:
        """Write a copy of one moment to ``target``, while others read and write. Raises BackupRefused."""

    def loaded(self, source: Path) -> AbstractContextManager[None]:
        """Put the copy in the place of everything that is there. Where that, or the block, fails, all is as it was before.

        Raises BackupRefused.
        """


class SQLite:
    """By SQLite's online backup, which goes through its locks and its write-ahead log."""

    def dump(self, target: Path) -> None:
        with (
            closing(sqlite3.connect(connection.settings_dict["NAME"])) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, with no log beside it

    @contextmanager
    def loaded(self, source: Path) -> Iterator[None]:
        self.refuse_broken(source)
        before = source.with_name("database-before")
        try:
            self.dump(before)
            self.load(source)
        except sqlite3.Error as error:  # SQLite itself has left all as it was
            raise BackupRefused(
                f"The backup's database cannot be put in place: {error}. Nothing was changed."
            ) from error
        try:
            yield
        except BaseException:
            self.load(before)
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
    """By PostgreSQL's own programs, in their custom format: it is data, where a script could run commands."""

    def dump(self, target: Path) -> None:
        program = client_program("pg_dump")
        quiet = ["--format=custom", "--compress=0", "--no-owner", "--no-privileges"]
        run(program, *quiet, f"--exclude-schema={ASIDE}", f"--file={target}", f"--dbname={address()}")

    @contextmanager
    def loaded(self, source: Path) -> Iterator[None]:
        program = client_program("pg_restore")
        quiet = ["--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
        with tables_aside():
            connections.close_all()
            run(program, *quiet, f"--dbname={address()}", str(source))
            yield


STORES: dict[str, Store] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}


def store_of(vendor: str) -> Store:
    return STORES[vendor]


@contextmanager
def tables_aside() -> Iterator[None]:
    """The schema is empty as the block begins; afterwards the tables of before are gone, or back where the block failed.

    They are moved, not dropped: whatever happens on the way, they are somewhere.
    """
    schema = connection.ops.quote_name(current_schema())
    aside = connection.ops.quote_name(ASIDE)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [ASIDE])
        if cursor.fetchone():
            raise BackupRefused(
                f"A restore was broken off: the tables of before are in the schema {ASIDE}. Move them back, or drop it."
            )
        cursor.execute(f"CREATE SCHEMA {aside}")
        move_tables(cursor, schema, aside)
    try:
        yield
    except BaseException:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in tables(cursor):
                cursor.execute(f"DROP TABLE {schema}.{connection.ops.quote_name(table)} CASCADE")
            move_tables(cursor, aside, schema, found_in=ASIDE)
            cursor.execute(f"DROP SCHEMA {aside}")
        raise
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {aside} CASCADE")


def current_schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def tables(cursor: Any, schema: str | None = None) -> list[str]:
    """Their names, in the current schema or in another."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = coalesce(%s, current_schema())", [schema])
    return [name for (name,) in cursor.fetchall()]


def move_tables(cursor: Any, source: str, target: str, found_in: str | None = None) -> None:
    """With their indexes and sequences. ``source`` and ``target`` are quoted names of schemas."""
    for table in tables(cursor, found_in):
        cursor.execute(f"ALTER TABLE {source}.{connection.ops.quote_name(table)} SET SCHEMA {target}")


# PostgreSQL's programs


def client_program(name: str) -> str:
    """Where it is. Raises BackupRefused where it is missing, or older than the server, which it could then not read."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10000
    path = shutil.which(name)
    if path is None:
        raise BackupRefused(
            f"{name} is missing. Install PostgreSQL's client programs, on Debian: apt-get install postgresql-client-{server}."
        )
    if (own := major_version(run(path, "--version"))) < server:
        raise BackupRefused(
            f"{name} is of PostgreSQL {own} and cannot serve the server, which is {server}."
            f" Install newer client programs, on Debian: apt-get install postgresql-client-{server}."
        )
    return path


def major_version(told: str) -> int:
    """17, of “pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)”."""
    found = re.search(r"\(PostgreSQL\) (\d+)", told)
    return int(found[1]) if found else 0


def address() -> str:
    """Where the database is, as libpq takes it; the password is not in it, as everybody may read command lines."""
    known = connection.get_connection_params()
    return make_conninfo("", **{name: known[name] for name in CONNECTING if known.get(name)})


def run(*command: str) -> str:
    """What the program said. Raises BackupRefused with its own words where it failed."""
    password = connection.settings_dict["PASSWORD"]
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        told = done.stderr.strip().partition("\n")[0][:500]
        raise BackupRefused(f"{Path(command[0]).name} failed: {told or f'exit code {done.returncode}'}.")
    return done.stdout
