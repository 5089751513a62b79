"""The roles of a studio that is spread over machines or containers."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """``all`` is the whole studio on one machine. ``migrate`` prepares the database and exits; the others wait for it."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    SWEEPER = "sweeper"
    MIGRATE = "migrate"
