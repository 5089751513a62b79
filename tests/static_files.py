"""Collects the static files once for all processes of a test run.

To hash and compress them takes nine seconds of CPU, and the tests start a dozen studios.
"""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path

from contentstudio.runtime.static import collect_static_files
from tests.environment import SHARED, VAR

COLLECTED = SHARED / "collected"
STAMP = "static-fingerprint"  # where manage.py studio keeps it


def bring_static_files(var: Path) -> None:
    """Collects them into ``var`` and writes the fingerprint of manage.py studio."""
    with (SHARED / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not COLLECTED.exists():
            collect_static_files(VAR / STAMP)
            shutil.copytree(VAR / "static", COLLECTED / "static")
            shutil.copy(VAR / STAMP, COLLECTED)
    if not (var / STAMP).exists():
        shutil.copytree(COLLECTED, var, dirs_exist_ok=True)
