"""The embedded Redis: a real server on a unix socket, and what it keeps when it is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as redis_py
from django.core.exceptions import ImproperlyConfigured

from contentstudio.runtime import redis_server
from tests.environment import ROOT

Start = Callable[[], tuple[subprocess.Popen[bytes], redis_py.Redis]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    socket = tmp_path / "redis.sock"
    servers: list[subprocess.Popen[bytes]] = []

    def start() -> tuple[subprocess.Popen[bytes], redis_py.Redis]:
        redis_server.prepare_directories(socket, tmp_path / "kept")
        servers.append(subprocess.Popen(redis_server.server_command(socket, tmp_path / "kept")))
        assert redis_server.wait_until_reachable(f"unix://{socket}")
        return servers[-1], redis_py.Redis(unix_socket_path=str(socket))

    yield start
    for server in servers:
        server.kill()
        server.wait()


def test_it_listens_on_a_private_socket_only(start: Start, tmp_path: Path) -> None:
    _, client = start()
    assert client.ping()
    assert (tmp_path / "redis.sock").stat().st_mode & 0o077 == 0
    assert client.config_get("port") == {"port": "0"}


def test_a_queue_survives_kill_9(start: Start) -> None:
    server, client = start()
    client.rpush("queue", *range(1000))
    client.close()
    server.kill()
    server.wait()
    _, client = start()
    assert client.llen("queue") == 1000


def test_a_system_server_is_preferred_to_the_packaged_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "valkey-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_server.server_binary() == program
    monkeypatch.setenv("PATH", "/nowhere")
    assert redis_server.server_binary().name == "valkey-server"
    assert redis_server.server_binary() != program


def test_a_missing_server_is_unreachable(tmp_path: Path) -> None:
    assert not redis_server.is_reachable(f"unix://{tmp_path}/nothing.sock")
    assert not redis_server.wait_until_reachable(f"unix://{tmp_path}/nothing.sock", seconds=0.1)


def test_it_refuses_a_directory_that_others_can_write_to(tmp_path: Path) -> None:
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(ImproperlyConfigured, match="belongs to another user or is writable by all"):
        redis_server.prepare_directories(place / "redis.sock", tmp_path / "kept")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("redis://:secret@host:6379/0", "redis://…@host:6379/0"),
        ("rediss://me:secret@host/1", "rediss://…@host/1"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_a_password_is_not_shown(address: str, shown: str) -> None:
    assert redis_server.mask_password(address) == shown


@pytest.mark.parametrize("depth", [1, 30])
def test_the_socket_path_is_short_enough(tmp_path: Path, depth: int) -> None:
    var = tmp_path.joinpath(*["deep"] * depth, "with a space")
    script = "from contentstudio import settings; print(settings.REDIS_SOCKET, settings.REDIS_ADDRESS, sep='\\n')"
    output = subprocess.check_output(
        [sys.executable, "-c", script], cwd=ROOT, env={"VAR": str(var), "PATH": "", "ENV_FILE": "/dev/null"}, text=True
    )
    socket, address = output.splitlines()
    assert len(socket) < 104
    assert redis_py.Redis.from_url(address).connection_pool.connection_kwargs["path"] == socket
