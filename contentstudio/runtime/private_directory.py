"""Directories of this user only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def make_private_directory(directory: Path, *, purpose: str) -> None:
    """Create ``directory``, accessible to this user only.

    Raises ImproperlyConfigured if another user can write to it, as it may be in ``/tmp``: they could put files or sockets of
    their own there.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.stat()
    if found.st_uid != os.getuid() or found.st_mode & stat.S_IWOTH:
        raise ImproperlyConfigured(
            f"{directory}, the directory of {purpose}, belongs to another user or is writable by all. "
            "Remove it, or set VAR to a directory of your own."
        )
