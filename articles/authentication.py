"""Authenticates HTTP requests by API key or session; WebSockets are in ``articles.live.authentication``.

A key is accepted as ``Authorization: Bearer <key>`` only: URLs end up in logs. Browsers do not send that header by themselves,
so a request with a key needs neither a CSRF token nor a known origin. A session needs both.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer, SessionAuth

from articles.models import ApiKey

HOW_TO_GET_IN = (
    "Send an API key as “Authorization: Bearer <key>”, or sign in. Create keys under “API keys” in the studio,"
    " or with “manage.py apikey USER”."
)
WRONG_KEY = "Invalid or revoked API key. " + HOW_TO_GET_IN


def key_in(header: str) -> str | None:
    """The key of an ``Authorization`` header, or None."""
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def user_of_key(key: str) -> User | None:
    found = ApiKey.objects.match(key)
    return found.user if found else None


def user_of(request: HttpRequest) -> User | None:
    """The user by key or session. Does not check CSRF: for safe methods only."""
    key = key_in(request.headers.get("Authorization", ""))
    if key is not None:
        return user_of_key(key)
    return request.user if request.user.is_authenticated else None


class KeyAuth(HttpBearer):
    """Authenticates by API key. A wrong key is refused even if the request also has a valid session."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = ApiKey.objects.user_of(token.strip())
        if user is None:
            raise AuthenticationError(message=WRONG_KEY)
        request.user = user
        return user


class BrowserAuth(SessionAuth):
    """Authenticates by session, with the CSRF token for unsafe methods. Without a session: 401, not 403."""

    def __call__(self, request: HttpRequest) -> User | None:
        if not request.user.is_authenticated:
            return None
        user: User | None = super().__call__(request)
        return user
