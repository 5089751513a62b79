"""Retries database work for up to 30 s while the database is unavailable."""

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
"""Raised by Django if the database restarts, cannot be reached, or is busy for longer than its timeout."""

PATIENCE = 30.0  # seconds from the first failure; a restart takes a few
PAUSE = 0.5  # seconds between two tries


def retry_on_outage(work: Callable[Given, Result]) -> Callable[Given, Result]:
    """Retry ``work`` while the database is unavailable, then raise the error.

    A connection may break after a commit and before its reply: ``work`` that writes has to check for that itself.
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
                log.warning("The database is unavailable, trying again: %s", error)
            time.sleep(PAUSE)
            close_old_connections()  # a broken connection would fail again

    return try_until_back
