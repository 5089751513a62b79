"""The database settings derived from DATABASE_URL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.utils import ConnectionHandler

from contentstudio.database_sessions import PARAMETERS, QUERY
from contentstudio.database_settings import database
from setup.postgres import new_cluster
from tests.test_studio_command import free_port

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


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server")
def test_the_server_soon_ends_the_session_of_a_machine_that_is_cut_off() -> None:
    """Only of a connection over TCP: on the Unix socket of the other tests, PostgreSQL ignores the parameters."""
    port, executed = str(free_port()), []

    def record(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        executed.append(sql)
        return execute(sql, *arguments)

    with new_cluster() as cluster, cluster.running(listen_addresses="127.0.0.1", port=port):
        address = f"postgres://studio@127.0.0.1:{port}/postgres"
        tcp: Any = ConnectionHandler({"default": {}, "tcp": database(address)})["tcp"]
        with tcp.execute_wrapper(record):
            pid = answer(tcp, "SELECT pg_backend_pid()")
            assert {name: answer(tcp, f"SHOW {name}") for name in PARAMETERS} == PARAMETERS
            tcp.close()
            assert answer(tcp, "SELECT pg_backend_pid()") == pid, "the same one from the pool"
            tcp.close()
        tcp.close_pool()
    assert executed.count(QUERY) == 1, "once a session, not whenever the pool gives it out"


def answer(database: Any, query: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def test_options_in_the_url_take_precedence() -> None:
    options = database(f"{ADDRESS}?sslmode=verify-full&connect_timeout=2")["OPTIONS"]
    assert (options["sslmode"], int(options["connect_timeout"])) == ("verify-full", 2)
    assert options["pool"]["min_size"] == 0
