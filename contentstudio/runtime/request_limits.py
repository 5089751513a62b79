"""Limits on what clients may send: sizes of bodies, time, connections. ``contentstudio.runtime.daphne`` enforces them.

Twisted receives a whole request, from anybody, before Django sees it. Sizes are derived from the settings, so that the limits
of the forms and those of the server cannot contradict each other.
"""

from __future__ import annotations

import logging
import resource
from collections import Counter
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_network

from django.conf import settings
from django.urls import Resolver404, resolve

log = logging.getLogger(__name__)

HEADERS_TIMEOUT = 15.0  # seconds from the first byte of a request to the end of its headers
RATE_WINDOW = 20.0  # seconds; in each such window a body has to end or to bring RATE_WINDOW * LOWEST_RATE bytes
LOWEST_RATE = 8 * 1024  # bytes per second

SMALL_BODY = 64 * 1024
"""Bytes. Bodies up to this size are accepted however many larger ones are in progress."""
MAX_FORMS_IN_PROGRESS = 256 * 1024 * 1024  # bytes of bodies of the usual size, in temporary files
MAX_UPLOADS_IN_PROGRESS = 3  # uploads of the largest size

MAX_OPEN_FILES = 65_536
RESERVED_FILES = 128  # descriptors kept free for the database, Redis, static files and temporary files


def max_body() -> int:
    """Bytes of a request body."""
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def max_upload() -> int:
    """Bytes of a form with documents, sent by a signed-in user to one of UPLOAD_VIEWS."""
    return settings.MAX_SOURCES * settings.UPLOAD_MAX_BYTES + max_body()


@dataclass
class BodyBudget:
    """Bytes of request bodies that may be in progress at once."""

    limit: int
    reserved: int = 0

    def reserve(self, size: int) -> bool:
        if size > SMALL_BODY:
            if self.reserved + size > self.limit:
                return False
            self.reserved += size
        return True

    def release(self, size: int) -> None:
        if size > SMALL_BODY:
            self.reserved -= size


def is_upload(method: bytes, path: bytes, content_type: bytes) -> bool:
    """Whether a request looks like a form with documents. Who sends it is checked by ``is_signed_in``."""
    if method != b"POST" or not content_type.lower().startswith(b"multipart/form-data"):
        return False
    try:
        return resolve(path.partition(b"?")[0].decode("ascii")).view_name in settings.UPLOAD_VIEWS
    except (Resolver404, UnicodeDecodeError):
        return False


async def is_signed_in(cookie: str) -> bool:
    """Whether a ``Cookie`` header holds the session of an active user."""
    from articles.live.authentication import Credentials  # imports models: possible once the application is loaded

    try:
        session = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return False
    return session is not None and (await Credentials(key=None, session=session.value).user()).is_authenticated


class ConnectionLimiter:
    """Counts open connections: in all, and by client."""

    def __init__(self) -> None:
        self._total = (open_file_limit() - RESERVED_FILES) // 2  # each may have its body in a temporary file
        self._per_client = settings.MAX_CONNECTIONS_PER_CLIENT
        self._open: Counter[str] = Counter()
        self._count = 0

    def open(self, address: str) -> bool:
        """Count a new connection; False, and not counted, if it is one too many."""
        client = client_of(address)
        if self._count >= self._total or (client and self._open[client] >= (self._per_client or self._total)):
            return False
        self._count += 1
        self._open[client] += 1
        if self._open[client] == self._per_client:
            log.warning("%s has %d connections open, further ones are refused", client, self._per_client)
        return True

    def close(self, address: str) -> None:
        client = client_of(address)
        self._count -= 1
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]


def client_of(address: str) -> str:
    """An IPv4 address, or the /64 network of an IPv6 address: a client can use all addresses of its network."""
    if ":" not in address:
        return address  # empty for a UNIX socket
    found = IPv6Address(address)
    return str(found.ipv4_mapped or ip_network((found, 64), strict=False))


def open_file_limit() -> int:
    """How many files this process may have open, up to MAX_OPEN_FILES."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_OPEN_FILES if soft == resource.RLIM_INFINITY else min(soft, MAX_OPEN_FILES)


def raise_open_file_limit() -> None:
    """Let this process open as many files as it may, up to MAX_OPEN_FILES: each connection is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if open_file_limit() < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
