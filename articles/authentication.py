"""Authenticates HTTP requests and WebSockets by API key or session.

A key is accepted as ``Authorization: Bearer <key>`` only: URLs end up in logs. Browsers do not send that header by themselves,
so a request with a key needs neither a CSRF token nor a known origin. A session needs both.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from channels.security.websocket import AllowedHostsOriginValidator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer, SessionAuth

from articles.models import ApiKey

HOW_TO_GET_IN = (
    "Send an API key as “Authorization: Bearer <key>”, or sign in. Create keys under “API keys” in the studio,"
    " or with “manage.py apikey USER”."
)
WRONG_KEY = "Invalid or revoked API key. " + HOW_TO_GET_IN

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


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


@dataclass(frozen=True)
class Credentials:
    """What a socket was opened with: an API key, or a session key."""

    key: str | None
    session: str | None

    async def user(self) -> User | AnonymousUser:
        """The user now; anonymous once the key is revoked, the session has ended or the user is deactivated."""
        if self.key is not None:
            return await database_sync_to_async(user_of_key)(self.key) or AnonymousUser()
        found: User | AnonymousUser = await get_user({"session": SessionStore(self.session)})
        return found


def credentials_of(scope: Scope) -> Credentials:
    key = key_in(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
    return Credentials(key, None if key is not None else scope["session"].session_key)


def authenticated(application: Application) -> Application:
    """Middleware: puts the user into a socket's scope. Refuses sessions from a foreign origin."""
    by_session: Application = AllowedHostsOriginValidator(AuthMiddlewareStack(application))

    async def authenticate(scope: Scope, receive: Receive, send: Send) -> None:
        header = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        key = key_in(header)
        if key is None:
            await by_session(scope, receive, send)
        else:
            user = await database_sync_to_async(user_of_key)(key)
            await application({**scope, "user": user or AnonymousUser()}, receive, send)

    return authenticate
