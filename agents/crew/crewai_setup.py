"""Imports CrewAI with ``CREWAI_STORAGE_DIR`` as HOME. Import this module before anything of CrewAI.

CrewAI writes settings and a key below HOME as soon as it is imported and has no setting for the place. The settings file of the
studio turns its telemetry and tracing off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def home_directory(path: str) -> Iterator[None]:
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


with home_directory(os.environ["CREWAI_STORAGE_DIR"]):
    import crewai  # noqa: F401
