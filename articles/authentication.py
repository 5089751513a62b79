"""Authenticates HTTP requests by API key or session; WebSockets are in ``articles.live.authentication``.

A key is accepted as ``Authorization: Bearer <key>`` only: URLs end up in logs. Browsers do not send that header by themselves,
so a request with a key needs neither a CSRF token nor a known origin. A session needs both.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer, SessionAuth

from articles.exceptions import NotPermitted
from articles.models import ApiKey
from articles.models.api_key import KeyHolder
from articles.quotas.rates import count_request
from contentstudio.access.client_address import client_address, network_of
from contentstudio.access.throttle import Limit

log = logging.getLogger(__name__)

HOW_TO_GET_IN = (
    "Send an API key as “Authorization: Bearer <key>”, or sign in. Create keys under “API keys” in the studio,"
    " or with “manage.py apikey USER”."
)
WRONG_KEY = "Invalid, expired or revoked API key. " + HOW_TO_GET_IN
READ_ONLY_KEY = "This API key may only read. Create another one to change something."


def key_in(header: str) -> str | None:
    """The key of an ``Authorization`` header, or None."""
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def user_of_key(key: str) -> User | None:
    """Asks the database: for sockets, which look again and again whether their key is still valid."""
    found = ApiKey.objects.match(key)
    return found.user if found else None


def holder_of_sent_key(key: str, address: str) -> KeyHolder | None:
    """The holder of a key that was sent from ``address``. Raises TooManyAttempts after too many wrong ones.

    A key cannot be guessed, but each try costs a query.
    """
    holder = ApiKey.objects.cached_holder(key)
    if holder is None:
        limit, network = Limit("keys", settings.INVALID_KEYS_PER_MINUTE, 60, "invalid API keys"), network_of(address)
        limit.check(network)
        holder = ApiKey.objects.holder_of(key)
        if holder is None:
            log.warning("An invalid API key was sent", extra={"address": address})
            limit.take(network)
    return holder


def user_of_sent_key(key: str, address: str) -> User | None:
    """The user, for what only reads. See ``holder_of_sent_key``."""
    holder = holder_of_sent_key(key, address)
    return holder.user if holder else None


def user_of(request: HttpRequest) -> User | None:
    """The user by key or session. Does not check CSRF: for safe methods only."""
    key = key_in(request.headers.get("Authorization", ""))
    if key is not None:
        return user_of_sent_key(key, client_address(request))
    return request.user if request.user.is_authenticated else None


class KeyAuth(HttpBearer):
    """Authenticates by API key. A wrong key is refused even if the request also has a valid session."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        holder = holder_of_sent_key(token.strip(), client_address(request))
        if holder is None:
            raise AuthenticationError(message=WRONG_KEY)
        if holder.read_only and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise NotPermitted(READ_ONLY_KEY)
        count_request(holder.user)
        request.user = holder.user
        return holder.user


class BrowserAuth(SessionAuth):
    """Authenticates by session, with the CSRF token for unsafe methods. Without a session: 401, not 403."""

    def __call__(self, request: HttpRequest) -> User | None:
        if not request.user.is_authenticated:
            return None
        user: User | None = super().__call__(request)
        if user is not None:
            count_request(user)
        return user
