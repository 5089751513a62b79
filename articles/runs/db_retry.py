"""A store that is away for a moment: work on it waits until it is back, rather than cost an article."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

log = logging.getLogger(__name__)

Given = ParamSpec("Given")
Result = TypeVar("Result")

DB_UNAVAILABLE = (OperationalError, InterfaceError)
"""What Django raises where the store restarts, is out of reach, or is busy for longer than its own timeout."""

PATIENCE = 30.0  # seconds from the first failure; a restart takes a few
PAUSE = 0.5  # seconds between two tries


def retry_on_outage(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """``work``, tried again while the store is away. After PATIENCE it raises what the store raised.

    A connection may break after a commit and before its answer: ``work`` that writes has to see whether an earlier try of
    it was committed after all.
    """

    @wraps(work)
    def try_until_back(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        deadline = None
        while True:
            try:
                return work(*args, **kwargs)
            except DB_UNAVAILABLE as error:
                deadline = deadline or time.monotonic() + PATIENCE
                if time.monotonic() > deadline:
                    raise
                log.warning("The store is away, trying again: %s", error)
            time.sleep(PAUSE)
            close_old_connections()  # a broken one would be broken again

    return try_until_back
