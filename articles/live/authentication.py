"""Authenticates WebSockets by API key or session, and checks the origin of those with a session.

Browsers send cookies with the handshake of any site's page, and no CSRF token, so the origin has to be checked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack, get_user
from channels.db import database_sync_to_async
from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from articles.authentication import key_in, user_of_key, user_of_sent_key
from contentstudio.access.client_address import choose_address
from contentstudio.access.throttle import TooManyAttempts
from contentstudio.access.two_factor import lacks_second_factor

SessionStore = import_module(settings.SESSION_ENGINE).SessionStore

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Credentials:
    """What a socket was opened with: an API key, or a session key."""

    key: str | None
    session: str | None

    async def user(self) -> User | AnonymousUser:
        """The user now; anonymous once the key is revoked, the session has ended or the user is deactivated.

        Also while a session's user has yet to set up the second factor that REQUIRE_TWO_FACTOR asks for.
        """
        if self.key is not None:
            return await database_sync_to_async(user_of_key)(self.key) or AnonymousUser()
        session = SessionStore(self.session)
        return await with_second_factor(await get_user({"session": session}), session)


async def with_second_factor(user: User | AnonymousUser, session: SessionBase) -> User | AnonymousUser:
    """The user, or an anonymous one if pages would first ask for a second factor."""
    lacks = settings.REQUIRE_TWO_FACTOR == "all" and await database_sync_to_async(lacks_second_factor)(user, session)
    return AnonymousUser() if lacks else user


def credentials_of(scope: Scope) -> Credentials:
    key = key_of(scope)
    return Credentials(key, None if key is not None else scope["session"].session_key)


def key_of(scope: Scope) -> str | None:
    return key_in(dict(scope["headers"]).get(b"authorization", b"").decode("latin-1"))


def client_address_of(scope: Scope) -> str:
    forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"").decode("latin-1")
    return choose_address(forwarded, (scope.get("client") or [""])[0])


def authenticated(application: Application) -> Application:
    """Middleware: puts the user into a socket's scope. A session is accepted from the studio's own origin only."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        user = await with_second_factor(scope["user"], scope["session"])
        await application({**scope, "user": user}, receive, send)

    by_session = same_origin(AuthMiddlewareStack(checked))

    async def authenticate(scope: Scope, receive: Receive, send: Send) -> None:
        key = key_of(scope)
        if key is None:
            await by_session(scope, receive, send)
        else:
            try:
                user = await database_sync_to_async(user_of_sent_key)(key, client_address_of(scope))
            except TooManyAttempts:
                await WebsocketDenier()(scope, receive, send)
                return
            await application({**scope, "user": user or AnonymousUser()}, receive, send)

    return authenticate


def same_origin(application: Application) -> Application:
    """Middleware: refuses a handshake without an origin, or with a foreign one.

    The rules are those of CSRF protection: scheme, host and port have to be the studio's, or one of CSRF_TRUSTED_ORIGINS.
    """

    async def check(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin", "")
        allowed = origin == own_origin(headers) or is_trusted_origin(origin)
        await (application if allowed else WebsocketDenier())(scope, receive, send)

    return check


def own_origin(headers: dict[bytes, str]) -> str | None:
    """The studio's origin as this client addresses it; None if its host is not one of ALLOWED_HOSTS."""
    request = HttpRequest()  # applies the settings for hosts and proxies
    request.META = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": value for name, value in headers.items()
    }
    try:
        return f"{request.scheme}://{request.get_host()}"
    except DisallowedHost:
        return None


def is_trusted_origin(origin: str) -> bool:
    """Whether it is one of CSRF_TRUSTED_ORIGINS, which may be patterns such as ``https://*.example.com``."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    found = urlsplit(origin)
    patterns = [urlsplit(trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS if "*" in trusted]
    return any(
        found.scheme == pattern.scheme and is_same_domain(found.netloc, pattern.netloc.lstrip("*"))
        for pattern in patterns
    )
