"""Collects the static files if one of them has changed. Collecting takes seconds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_static_files(stamp: Path) -> bool:
    """Update STATIC_ROOT and write the fingerprint of its sources to ``stamp``; False if nothing had changed."""
    now = fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return False
    # Cleared first: a file older than its copy, as after a downgrade, would not be copied.
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(now)
    return True


def fingerprint() -> str:
    """A hash of name, size and modification time of all source files."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
