"""Fixtures for all tests: a ``var/`` of their own, a real Redis and real workers."""

from __future__ import annotations

from tests.environment import VAR  # first: it sets the environment that the settings read

# isort: split
import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import redis as redis_py
from django.conf import settings
from django.db import connection

from articles.quotas.rates import forget_blocks
from contentstudio.logs import current_request
from contentstudio.runtime import redis_server as redis_program
from tests.live_server import live_server
from tests.static_files import bring_static_files
from tests.worker_pool import running_workers

LONG = {
    "test_approval.py",
    "test_automatic_backups.py",
    "test_costs_of_runs.py",
    "test_jobs.py",
    "test_pipeline.py",
    "test_preload.py",
    "test_provider_faults.py",
    "test_provider_refusals.py",
    "test_sockets.py",
    "test_socket_lifecycle.py",
    "test_socket_lost_access.py",
    "test_worker.py",
    "test_writing.py",
}
"""Slow files of tests/agents and tests/articles. Files elsewhere start a browser or a studio and are slow too."""


def pytest_unconfigure() -> None:
    shutil.rmtree(VAR, ignore_errors=True)  # a killed server may still be writing


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite tests run on a file: worker processes could not see a database in this process's memory."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(VAR / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[str]:
    """The address of a real Redis, the one in the settings, shared by the session."""
    directory = VAR / "redis"
    redis_program.prepare_directories(settings.REDIS_SOCKET, directory)
    server = subprocess.Popen(redis_program.server_command(settings.REDIS_SOCKET, directory))
    assert redis_program.wait_until_reachable(settings.REDIS_ADDRESS)
    yield settings.REDIS_ADDRESS
    server.kill()
    server.wait()


@pytest.fixture
def redis(redis_server: str) -> Iterator[redis_py.Redis]:
    """A client of the tests' Redis."""
    with redis_py.Redis.from_url(redis_server) as client:
        yield client


@pytest.fixture(autouse=True)
def empty_queue(redis: redis_py.Redis) -> Iterator[None]:
    """Jobs of earlier tests are removed, because a worker would find other rows under their ids."""
    yield
    redis.delete("rq:queue:articles")


@pytest.fixture(autouse=True)
def no_request_yet() -> None:
    """The request of an earlier test is over, and its user gone."""
    current_request.set(None)


@pytest.fixture(autouse=True)
def no_attempts_yet(redis: redis_py.Redis) -> None:
    """Failed attempts of earlier tests count no more."""
    for key in redis.scan_iter("studio:*", count=1000):
        redis.delete(key)
    forget_blocks()


@pytest.fixture(scope="session")
def static_files() -> None:
    """The static files, hashed and compressed as in production; a link to a missing file fails."""
    bring_static_files(VAR)


@pytest.fixture(scope="session")
def site(django_db_setup: None, redis_server: str, static_files: None) -> Iterator[str]:
    """The address of the studio's real web server, in this process and on the tests' database."""
    with live_server() as address:
        yield address


@pytest.fixture(scope="session")
def program_environment(django_db_setup: None, redis_server: str) -> dict[str, str]:
    """The environment in which another process works on this test's database, Redis and ``var/``."""
    return {**os.environ, "DATABASE_URL": database_address(), "REDIS_URL": redis_server}


def database_address() -> str:
    """The DATABASE_URL of the test database."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    base, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{base.rpartition('/')[0]}/{found['NAME']}{'?' if query else ''}{query}"


@pytest.fixture(scope="module")
def worker_pool(program_environment: dict[str, str], redis_server: str) -> Iterator[subprocess.Popen[bytes]]:
    """Two real workers on the test database, started once a file because that takes seconds."""
    with redis_py.Redis.from_url(redis_server) as client, running_workers(client, program_environment) as pool:
        yield pool


@pytest.fixture
def workers(transactional_db: None, worker_pool: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Real workers for a test with committed rows: forked processes perform the jobs it enqueues."""
    assert worker_pool.poll() is None, "the workers have ended; see their lines above"
    return worker_pool


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first: at the end they would run alone while the other processes of pytest-xdist wait."""
    items.sort(key=is_short)


def is_short(item: pytest.Item) -> bool:
    return item.path.parent.name in {"agents", "articles"} and item.path.name not in LONG
