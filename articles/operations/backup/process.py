"""Scheduled backups in a process of their own: one takes minutes, while the sweeper has to sweep every second."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from functools import partial

from django.conf import settings

from articles.operations.backup.automatic import is_due
from contentstudio.runtime.parent_death import die_with_parent

CHECK_INTERVAL = 60.0  # seconds
GRACE = 5.0  # seconds
NICENESS = 10


def prepare(parent: int) -> None:
    """Runs in the new process: compressing gigabytes of images must slow down nobody."""
    die_with_parent(parent)
    os.nice(NICENESS)


class BackupProcess:
    """Runs ``manage.py backup --scheduled`` when one is due. The process claims the backup itself, and logs its failure."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._checked_at = -math.inf

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start_if_due(self) -> None:
        """Looks once a minute. Raises DatabaseError."""
        if self.is_running or time.monotonic() - self._checked_at < CHECK_INTERVAL:
            return
        self._checked_at = time.monotonic()
        if is_due():
            command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "backup", "--scheduled"]
            self._process = subprocess.Popen(command, preexec_fn=partial(prepare, os.getpid()))  # noqa: S603

    def stop(self) -> None:
        """An incomplete backup is given up. It is due again after the claim on it has ended."""
        if self._process is None or not self.is_running:
            return
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
