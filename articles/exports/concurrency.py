"""Limits how many exports run at once: a single PDF of a large table can take 10 s and more than 1 GB.

The limit holds for all processes of this machine, as they share its memory, also if VAR is shared with others. Locks are
released by the kernel when a process dies.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from articles.exceptions import ExportBusy
from contentstudio.runtime.private_directory import make_private_directory

MAX_EXPORTS = 2
"""Exports at once, of all users together."""

WAIT_FOR_OWN = 2.0
WAIT_FOR_OTHERS = 15.0
"""Seconds. The first is short: a request that waits holds a thread, and one user must not hold them all."""

POLL = 0.05


@contextmanager
def export_slot(user_id: int) -> Iterator[None]:
    """Holds one of ``MAX_EXPORTS`` slots, and the only one of this user. Raises ExportBusy if none becomes free in time."""
    folder = settings.LOCAL / "exports"
    make_private_directory(settings.LOCAL, purpose="exports")
    folder.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as stack:
        # Several users share a file once there are more than 64: they only wait for each other.
        own = _acquire(stack, [folder / f"user-{user_id % 64}.lock"], WAIT_FOR_OWN)
        if not own:
            raise ExportBusy("Another of your exports is still running. Wait a few seconds, then try again.")
        if not _acquire(stack, [folder / f"slot-{number}.lock" for number in range(MAX_EXPORTS)], WAIT_FOR_OTHERS):
            raise ExportBusy("Too many exports are running. Wait a few seconds, then try again.")
        yield


def _acquire(stack: ExitStack, paths: Sequence[Path], seconds: float) -> bool:
    """Locks one of the files until ``stack`` is closed."""
    deadline = time.monotonic() + seconds
    while True:
        for path in paths:
            if (file := _lock(path)) is not None:
                stack.callback(file.close)
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL)


def _lock(path: Path) -> BinaryIO | None:
    file = path.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
