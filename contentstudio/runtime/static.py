"""Collects the static files, which takes seconds, only where one of them has changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_static_files(stamp: Path) -> bool:
    """Bring STATIC_ROOT up to date and note in ``stamp`` with what; was there anything to do?"""
    now = fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return False
    # Cleared, for a file is else kept that is older than its last copy, as after going back to an older version.
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(now)
    return True


def fingerprint() -> str:
    """Name, size and time of change of all files that would be collected."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
