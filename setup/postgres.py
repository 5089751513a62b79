"""A private PostgreSQL server for tests: in a temporary directory, on a Unix socket, removed afterwards.

PostgreSQL refuses to run as root, and ``make test`` is often run as root in a container: the server then runs as another user.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contentstudio.runtime.parent_death import die_with_parent
from setup import debian

START_TIMEOUT = 30.0

# Faster because it need not survive a power failure; enough connections for many workers.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


@dataclass(frozen=True)
class Cluster:
    """An initialised data directory. ``run_as`` has the arguments of ``subprocess`` that name the user of the server."""

    programs: Path
    directory: Path
    run_as: dict[str, Any]

    def url(self, database: str = "studio") -> str:
        """A value for DATABASE_URL."""
        return f"postgres://studio@{quote(str(self.directory), safe='')}/{database}"

    @contextmanager
    def running(self, **settings: str) -> Iterator[None]:
        """Run the server inside the block, with these settings too. May be used again afterwards."""
        options = [word for name, value in {**SETTINGS, **settings}.items() for word in ("-c", f"{name}={value}")]
        with (self.directory / "log").open("w") as log:
            server = subprocess.Popen(
                [self.programs / "postgres", "-D", self.directory / "data", "-k", self.directory, *options],
                **self.run_as,
                cwd=self.directory,
                stderr=log,
                start_new_session=True,  # Ctrl-C must not stop it before those who still need it
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        try:
            self.wait_until_ready(server, settings.get("port", "5432"))
            yield
        finally:
            server.send_signal(signal.SIGINT)  # fast shutdown: closes open connections
            server.wait()

    def wait_until_ready(self, server: subprocess.Popen[bytes], port: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        probe: list[str | Path] = [
            self.programs / "pg_isready",
            "--quiet",
            "-h",
            self.directory,
            "-p",
            port,
            "-U",
            "studio",
            "-d",
            "postgres",
        ]
        while subprocess.run(probe, check=False).returncode != 0:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {(self.directory / 'log').read_text()}")
            time.sleep(0.05)


@contextmanager
def new_cluster() -> Iterator[Cluster]:
    """Initialise a cluster; removes it at the end of the block."""
    programs = debian.postgres_programs()
    directory = Path(tempfile.mkdtemp(prefix="studio-pg-", dir="/tmp"))  # the path of a socket has at most 107 bytes
    run_as = unprivileged_user()
    if run_as:
        os.chown(directory, run_as["user"], run_as["group"])
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        directory / "data",
        "-U",
        "studio",
        "--auth=trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    try:
        subprocess.run(initdb, **run_as, cwd=directory, stdout=subprocess.DEVNULL, check=True)
        yield Cluster(programs, directory, run_as)
    finally:
        shutil.rmtree(directory)


@contextmanager
def private_server() -> Iterator[str]:
    """Run a new server inside the block; yields its DATABASE_URL."""
    with new_cluster() as cluster, cluster.running():
        yield cluster.url()


def unprivileged_user() -> dict[str, Any]:
    """The user that runs PostgreSQL instead of root, as arguments of ``subprocess``; empty if this process is not root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
