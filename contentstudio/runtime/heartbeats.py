"""Heartbeats: each process of the studio writes the time to a file while it works, and health checks read it.

The files are in a directory of this machine or container, even if VAR is shared. They hold the clock since the last boot, which
all processes of a machine share and which nobody adjusts. Redis would be the wrong place: workers outlast an outage of Redis, and
must not be restarted because of it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contentstudio.runtime.private_directory import make_private_directory

logger = logging.getLogger(__name__)

SUFFIX = ".heartbeat"
WORKER_KINDS = ("worker", "job")
"""A worker, and the process in which it writes articles, if it does."""

SWEEPER = "sweeper"
INTERVAL = 5.0  # seconds between two heartbeats of a process that is writing; a worker that waits may take ten


@dataclass(frozen=True)
class Heartbeat:
    """The file of one process, such as ``worker-4711-1``: the first worker of the pool with the pid 4711."""

    directory: Path
    name: str

    @property
    def path(self) -> Path:
        return self.directory / f"{self.name}{SUFFIX}"

    def beat(self) -> None:
        """Write the time. A failure, such as a full disk, is logged: the health check notices the old time."""
        unfinished = self.path.with_suffix(f".{os.getpid()}")
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)  # the system may remove temporary files
            unfinished.write_text(repr(time.monotonic()))
            unfinished.replace(self.path)  # a reader never sees an empty file
        except OSError as error:
            logger.warning("The heartbeat %s cannot be written: %s", self.path, error)

    def remove(self) -> None:
        """Remove the file: the process has ended as planned."""
        self.path.unlink(missing_ok=True)


def ages(directory: Path, kinds: Iterable[str]) -> dict[str, float]:
    """Seconds since the last heartbeat of each process whose name begins with one of ``kinds``."""
    found = {}
    for kind in kinds:
        for path in sorted(directory.glob(f"{kind}*{SUFFIX}")):
            try:
                age = time.monotonic() - float(path.read_text())
            except FileNotFoundError:  # it has just ended
                continue
            found[path.name.removesuffix(SUFFIX)] = age if age >= 0 else float("inf")  # written before the last boot
    return found


def prepare(directory: Path) -> None:
    """Create ``directory`` for heartbeats. Raises ImproperlyConfigured if others can write to it."""
    make_private_directory(directory, purpose="heartbeats")


def remove_of_ended_pools(directory: Path, kinds: Iterable[str]) -> None:
    """Remove the heartbeats of pools that were killed, and of one that had this process's pid before."""
    for kind in kinds:
        for path in directory.glob(f"{kind}-*{SUFFIX}"):
            pool = int(path.name.split("-")[1])
            if pool == os.getpid() or not is_running(pool):
                path.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True
