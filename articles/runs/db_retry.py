"""Retries database work for up to 30 s while the database is unavailable."""

from __future__ import annotations

import logging

import tenacity
from django.db import InterfaceError, OperationalError, close_old_connections

log = logging.getLogger(__name__)

DB_UNAVAILABLE = (OperationalError, InterfaceError)
"""Raised by Django if the database restarts, cannot be reached, or is busy for longer than its timeout."""

GIVE_UP_AFTER = 30.0  # seconds from the first try; a restart of PostgreSQL takes a few
PAUSE = 0.5  # seconds between two tries


def log_and_disconnect(state: tenacity.RetryCallState) -> None:
    log.warning("The database is unavailable, trying again: %s", state.outcome and state.outcome.exception())
    close_old_connections()  # a broken connection would fail again


retry_on_outage = tenacity.retry(
    retry=tenacity.retry_if_exception_type(DB_UNAVAILABLE),
    wait=lambda _: PAUSE,
    stop=lambda state: (state.seconds_since_start or 0) > GIVE_UP_AFTER,
    before_sleep=log_and_disconnect,
    reraise=True,
)
"""A connection may break after a commit and before its reply: a decorated function that writes has to check for that itself."""
