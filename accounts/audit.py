"""Writes the audit log: a row and a log line for each entry."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.models import AuditAction, AuditEntry
from contentstudio.access.client_address import client_address
from contentstudio.logs import current_request

log = logging.getLogger(__name__)

SUSPICIOUS = {AuditAction.SIGN_IN_FAILED, AuditAction.SIGN_IN_LIMITED}


def record(
    action: AuditAction,
    *,
    user: User | None = None,
    request: HttpRequest | None = None,
    deleted: User | None = None,
    **details: Any,
) -> None:
    """Record that ``user`` did something; by default the user of ``request``, by default the current one.

    Details must not hold secrets. Those that are empty are left out. ``deleted`` is a user who is just being deleted, and no
    longer to be referred to.
    """
    request = request or current_request.get()
    actor = user or user_of(request)
    entry = AuditEntry(
        action=action,
        user=None if actor == deleted else actor,
        # Who deletes themselves is recorded by the pseudonym that ``deleted`` has.
        username=(deleted if actor == deleted and deleted else actor).get_username() if actor else "",
        address=(client_address(request) if request else "") or None,
        details={name: value for name, value in details.items() if value not in ("", None, [])},
    )
    entry.save(force_insert=True)
    level = logging.WARNING if action in SUSPICIOUS else logging.INFO
    text = f"{entry}{f' ({entry.summary})' if entry.details else ''}"
    extra = {"address": entry.address} if entry.address else {}
    log.log(level, "%s", text, extra=extra | ({"user_id": actor.pk} if actor else {}))


def user_of(request: HttpRequest | None) -> User | None:
    user = getattr(request, "user", None)
    return user if isinstance(user, User) or getattr(user, "is_authenticated", False) else None


def known_name(username: str) -> str:
    """The name if there is such a user. Other input is not recorded: it may be a password in the wrong field."""
    return username if User.objects.filter(username=username).exists() else "unknown"
