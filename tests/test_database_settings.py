"""The database settings derived from DATABASE_URL."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from contentstudio.database_settings import database

ADDRESS = "postgres://studio:secret@db.example/studio"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def test_the_pool_reconnects_soon_after_an_outage() -> None:
    """The pool doubles its delay with each attempt, so it reconnects after at most as long as the outage lasted."""
    pool = database(ADDRESS)["OPTIONS"]["pool"]
    assert pool["reconnect_timeout"] <= pool["timeout"] <= 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server that restarts")
def test_a_connection_closed_by_the_server_fails_no_request() -> None:
    pids: list[int] = []

    def request() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.append(cursor.fetchone()[0])
        connection.close()

    in_a_thread(request)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", pids)
    in_a_thread(request)
    assert len(set(pids)) == 2


def in_a_thread(request: Callable[[], None]) -> None:
    """As the web answers each request: with a connection from the pool, which goes back to it."""
    thread = threading.Thread(target=request)
    thread.start()
    thread.join(30)


def test_options_in_the_url_take_precedence() -> None:
    options = database(f"{ADDRESS}?sslmode=verify-full&connect_timeout=2")["OPTIONS"]
    assert (options["sslmode"], int(options["connect_timeout"])) == ("verify-full", 2)
    assert options["pool"]["min_size"] == 0
