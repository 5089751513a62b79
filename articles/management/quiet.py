"""Commands whose output is read by a person keep the chatter of libraries out of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def warnings_only(verbosity: int) -> Iterator[None]:
    """Log warnings and errors alone, unless more was asked for with ``-v 2``."""
    logging.disable(logging.INFO if verbosity < 2 else logging.NOTSET)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
