"""Who has to set up a second factor first, by REQUIRE_TWO_FACTOR. Pages and sockets ask here."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest


def records_of(session: SessionBase, user: User | AnonymousUser) -> list[dict[str, Any]]:
    """How and when the user signed in, in this session."""
    request = HttpRequest()
    request.session = session
    records: list[dict[str, Any]] = get_authentication_records(request, user)
    return records


def came_by_provider(session: SessionBase, user: User) -> bool:
    return any(record["method"] == "socialaccount" for record in records_of(session, user))


def lacks_second_factor(user: User | AnonymousUser, session: SessionBase, *, administration: bool = False) -> bool:
    """Whether a page, of the ``administration`` or not, is closed to the user until they have set up a second factor.

    Whoever came by OpenID Connect has had to satisfy the rules of the provider.
    """
    policy = settings.REQUIRE_TWO_FACTOR
    if policy == "none" or not user.is_authenticated:
        return False
    if policy == "staff" and not (user.is_staff and administration):
        return False
    return not came_by_provider(session, user) and not is_mfa_enabled(user)
