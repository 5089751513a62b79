"""Import this before CrewAI: it imports CrewAI once with a HOME under ``CREWAI_STORAGE_DIR``.

CrewAI writes settings and a key of its own below HOME as soon as it is imported, and has no switch for the place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def home(path: str) -> Iterator[None]:
    """HOME is ``path`` inside the block."""
    before = os.environ.get("HOME")
    os.environ["HOME"] = path
    try:
        yield
    finally:
        if before is None:
            del os.environ["HOME"]
        else:
            os.environ["HOME"] = before


with home(os.environ["CREWAI_STORAGE_DIR"]):
    import crewai  # noqa: F401  (the settings have set what else it reads)
