"""The database's migrations: applied by one process, and waited for by the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from articles.models import Article
from articles.runs.db_retry import DB_UNAVAILABLE

LOCK = 0x636F6E74656E74  # "content": the number of the advisory lock
POLL_INTERVAL = 1.0  # seconds


def missing_migrations() -> int:
    """How many migrations of this version the database lacks. Raises DatabaseError if it cannot be read."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def has_data() -> bool:
    """Whether there are articles or users. False without their tables, as in a new database."""
    if not {Article._meta.db_table, User._meta.db_table} <= set(connection.introspection.table_names()):
        return False
    return Article.objects.exists() or User.objects.exists()


@contextmanager
def migration_lock() -> Iterator[None]:
    """Of several processes that prepare the database at once, one does and the others wait.

    An advisory lock of PostgreSQL; SQLite is on one machine, where VAR is locked. Held by an open
    transaction of a second connection: a lock of a session would be lost behind a connection pooler.
    """
    if connection.vendor != "postgresql":
        yield
        return
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield
        holder.rollback()
    finally:
        holder.close()


def wait_for_database(write: Callable[[str], None]) -> None:
    """Wait until the database can be reached, without a limit. ``write`` prints why it cannot."""
    wait_until_none(unreachable, write)


def wait_for_migrations(write: Callable[[str], None]) -> None:
    """Wait until the database can be reached and has all migrations, without a limit. ``write`` prints what is missing."""
    wait_until_none(lacks_migrations, write)


def wait_until_none(problem: Callable[[], str | None], write: Callable[[str], None]) -> None:
    written = None
    while found := problem():
        if found != written:
            write(found)
            written = found
        time.sleep(POLL_INTERVAL)
    connections.close_all()


def unreachable() -> str | None:
    try:
        connection.ensure_connection()
    except DB_UNAVAILABLE as error:
        connections.close_all()
        reason = str(error).strip().partition("\n")[0]
        return f"Waiting for the database, which cannot be reached: {reason}"
    return None


def lacks_migrations() -> str | None:
    if problem := unreachable():
        return problem
    try:
        missing = missing_migrations()
    except DB_UNAVAILABLE:  # since just now
        return unreachable()
    if not missing:
        return None
    plural = "" if missing == 1 else "s"
    return f"Waiting for {missing} migration{plural} to be applied: `manage.py studio --role migrate` does that."
