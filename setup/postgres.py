"""A PostgreSQL of the tests' own: made in a temporary directory, on a unix socket, gone afterwards."""

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
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contentstudio.runtime.parent_death import die_with_parent
from setup import debian

# Faster by not surviving a power cut, which no test database has to; room for what many workers open.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}


@contextmanager
def private_cluster() -> Iterator[str]:
    """Run a server inside the block; yields what DATABASE_URL has to say."""
    with new_cluster() as (programs, directory, who), running_server(programs, directory, who):
        yield f"postgres://studio@{quote(str(directory), safe='')}/studio"


@contextmanager
def new_cluster() -> Iterator[tuple[Path, Path, dict[str, Any]]]:
    """A store no server runs on yet: where the programs are, its directory, and whom to be, as ``running_server`` wants it."""
    programs = debian.postgres_programs()
    directory = Path(tempfile.mkdtemp(prefix="studio-pg-", dir="/tmp"))  # short: a socket's path has 107 bytes
    who = another_user()
    if who:
        os.chown(directory, who["user"], who["group"])
    try:
        make: list[str | Path] = [
            programs / "initdb",
            "-D",
            directory / "store",
            "-U",
            "studio",
            "--auth=trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(make, **who, cwd=directory, stdout=subprocess.DEVNULL, check=True)
        yield programs, directory, who
    finally:
        shutil.rmtree(directory)


@contextmanager
def running_server(programs: Path, directory: Path, who: dict[str, Any]) -> Iterator[None]:
    options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [programs / "postgres", "-D", directory / "store", "-k", directory, *options],
        **who,
        cwd=directory,
        stderr=(directory / "log").open("w"),
        start_new_session=True,  # Ctrl-C is ours to pass on, when nobody needs it any more
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
    try:
        wait_until_ready(programs, directory, server)
        yield
    finally:
        server.send_signal(signal.SIGINT)  # "fast shutdown": ends what clients have left open
        server.wait()


def wait_until_ready(programs: Path, directory: Path, server: subprocess.Popen[bytes], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    ask: list[str | Path] = [programs / "pg_isready", "--quiet", "-h", directory, "-U", "studio", "-d", "postgres"]
    while subprocess.run(ask, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL has not started: {(directory / 'log').read_text()}")
        time.sleep(0.05)


def another_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: whom to be instead, as ``subprocess`` wants it; nothing where we are not root."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
