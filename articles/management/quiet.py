"""Keeps log messages of libraries out of the output of commands."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def warnings_only(verbosity: int) -> Iterator[None]:
    """Logs only warnings and errors, unless the command runs with ``-v 2``."""
    logging.disable(logging.INFO if verbosity < 2 else logging.NOTSET)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
