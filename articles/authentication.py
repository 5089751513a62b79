"""Who is asking: the bearer of an API key, or the user of a session.

A key is sent as ``Authorization: Bearer <key>`` and in no other way: addresses end up in logs. No browser adds it by itself,
so a request that brings one needs no CSRF token and no known origin; a session needs both.
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
    "Send an API key as “Authorization: Bearer <key>”, or sign in. Your keys are under “API keys” in the studio;"
    " “manage.py apikey USER” makes one, too."
)
WRONG_KEY = "This API key is not known, or was revoked. " + HOW_TO_GET_IN

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def key_in(header: str) -> str | None:
    """The key an ``Authorization`` header holds; None where it holds none."""
    scheme, _, key = header.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def user_of_key(key: str) -> User | None:
    found = ApiKey.objects.match(key)
    return found.user if found else None


def user_of(request: HttpRequest) -> User | None:
    """The user by key or session. CSRF is not looked at: for safe methods only."""
    key = key_in(request.headers.get("Authorization", ""))
    if key is not None:
        return user_of_key(key)
    return request.user if request.user.is_authenticated else None


class KeyAuth(HttpBearer):
    """``Authorization: Bearer <key>``. A wrong key is refused, whatever session comes with it."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = user_of_key(token.strip())
        if user is None:
            raise AuthenticationError(message=WRONG_KEY)
        request.user = user
        return user


class BrowserAuth(SessionAuth):
    """The session of a signed-in user; unsafe methods need the CSRF token. A stranger is told 401 rather than 403."""

    def __call__(self, request: HttpRequest) -> User | None:
        if not request.user.is_authenticated:
            return None
        user: User | None = super().__call__(request)
        return user


@dataclass(frozen=True)
class Credentials:
    """What a socket was opened with: a key, or else a session's key. The user behind it may change while it is open."""

    key: str | None
    session: str | None

    async def user(self) -> User | AnonymousUser:
        """Whose they are now: nobody's once the key was revoked, the session ended, or the user deactivated."""
        if self.key is not None:
            return await database_sync_to_async(user_of_key)(self.key) or AnonymousUser()
        found: User | AnonymousUser = await get_user({"session": SessionStore(self.session)})
        return found


def credentials_of(scope: Scope) -> Credentials:
    key = key_in(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))
    return Credentials(key, None if key is not None else scope["session"].session_key)


def authenticated(application: Application) -> Application:
    """Put the user of the key, or of the session, into a socket's scope; a foreign origin's handshake is refused."""
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
