"""The health of one role on this machine or in this container, for HEALTHCHECK, probes and monitors.

``python -m contentstudio.runtime.healthcheck`` is for those that ask often: it takes half a second of CPU, ``manage.py
healthcheck`` takes two, because Django loads all models. Both exit with 1 if something is wrong, and say what.
"""

from __future__ import annotations

import http.client
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from contentstudio.runtime import heartbeats
from contentstudio.runtime.roles import Role

MAX_AGE = 30.0
"""Seconds. An idle worker sends a heartbeat every ten seconds, a busy one every five, the sweeper every second."""

CONNECTIONS = 4
"""Web processes share their port. If one of two hangs, four connections miss it once in sixteen times."""

WEB_TIMEOUT = 5.0  # seconds
CHECKED = (Role.ALL, Role.WEB, Role.WORKER, Role.SWEEPER)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--role", choices=CHECKED, default=os.environ.get("ROLE") or Role.ALL, help="what to check (default: all)"
    )
    parser.add_argument(
        "--max-age", type=float, default=MAX_AGE, help="seconds since the last heartbeat that are healthy (default: 30)"
    )
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1", help="address the web listens on")
    parser.add_argument("--port", type=int, default=os.environ.get("PORT") or 8000, help="port the web listens on")


def problems(*, role: str, max_age: float, host: str, port: int, **options: Any) -> list[str]:
    """What is wrong with ``role`` on this machine; empty if it is healthy."""
    found: list[str] = []
    if role in (Role.ALL, Role.WORKER):
        found += late(heartbeats.WORKER_KINDS, max_age, none="No worker has started on this machine.")
    if role in (Role.ALL, Role.SWEEPER):
        found += late([heartbeats.SWEEPER], max_age, none="The sweeper has not swept yet on this machine.")
    if role in (Role.ALL, Role.WEB):
        found += web_problems(host, port)
    return found


def late(kinds: Any, max_age: float, *, none: str) -> Iterator[str]:
    ages = heartbeats.ages(settings.LOCAL, kinds)
    if not ages:
        yield none
    for name, age in ages.items():
        if age > max_age:
            yield f"{name}: the last heartbeat was {age:.0f} s ago."


def web_problems(host: str, port: int) -> Iterator[str]:
    """Ask /api/health, which also fails if the database or Redis cannot be reached."""
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared, not bound)
    for _ in range(CONNECTIONS):
        connection = http.client.HTTPConnection(address, port, timeout=WEB_TIMEOUT)
        try:
            connection.request("GET", "/api/health", headers={"Host": served_host(), "Connection": "close"})
            response = connection.getresponse()
            body = response.read(1000).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            yield f"The web does not answer on {address}, port {port}: {error or type(error).__name__}."
            return
        finally:
            connection.close()
        if response.status != http.client.OK:
            yield f"The web answers {response.status}: {body}"
            return


def served_host() -> str:
    """A host name the studio answers to."""
    first = next(iter(settings.ALLOWED_HOSTS), "*")
    return "localhost" if first == "*" else first.lstrip(".")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentstudio.settings")
    parser = ArgumentParser(description=__doc__)
    add_arguments(parser)
    if found := problems(**vars(parser.parse_args())):
        sys.exit("\n".join(found))
    sys.stdout.write("healthy\n")


if __name__ == "__main__":
    main()
