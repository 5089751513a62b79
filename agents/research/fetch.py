"""Fetches pages named by users or other pages, guarded against server-side request forgery (SSRF).

The host is resolved once, all its addresses are checked, and the connection goes to a checked address, so DNS rebinding
does not work. Redirects are checked the same way. Proxies from the environment are ignored: they would resolve the host
again, unchecked.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache, partial
from ipaddress import ip_address

import httpx

from agents.exceptions import FetchRefused
from agents.research.addresses import Address, Allowed
from agents.research.media_types import DOCUMENTS, Expected
from agents.research.threads import run_in_daemon_thread

logger = logging.getLogger(__name__)

USER_AGENT = "ContentStudio/0.1 (self-hosted writing studio; reads single pages for their citation)"
ACCEPT = "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,text/markdown;q=0.9,*/*;q=0.1"
MAX_ADDRESSES = 3

BAD_ADDRESS = (httpx.InvalidURL, UnicodeError, ValueError, OverflowError, ExceptionGroup)
"""What httpx and the libraries below it raise for addresses no server has: ``mailto:x``, ``http://xn--/``, port 99999999999."""

Resolve = Callable[[str, int], Awaitable[list[Address]]]


@dataclass(frozen=True)
class Fetched:
    """A response. ``url`` is the one after redirects; ``charset`` is empty if the server declared none."""

    url: str
    content_type: str
    body: bytes
    charset: str = ""


@cache
def tls_context() -> ssl.SSLContext:
    """Shared by all requests: loading the certificates takes 20 ms. Respects ``SSL_CERT_FILE``."""
    return httpx.create_ssl_context()


async def resolve(host: str, port: int) -> list[Address]:
    """All addresses of ``host`` by the system's resolver, which may block for long. Raises OSError if there are none."""
    answers = await run_in_daemon_thread(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    # An IPv6 address may carry a scope ("fe80::1%eth0"), which ip_address keeps.
    return list(dict.fromkeys(ip_address(answer[4][0]) for answer in answers))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends requests to a checked address, with the original host name in ``Host`` and TLS."""

    def __init__(self, allowed: Allowed, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        # Kept connections are found by address, though they were opened for another host name.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(verify=tls_context(), trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        *first, last = (await self._resolve_checked(host, port))[:MAX_ADDRESSES]
        for address in first:
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_pinned(request, host, last))

    async def _resolve_checked(self, host: str, port: int) -> list[Address]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchRefused(not_reached(host)) from error
        if not addresses or not all(self._allowed.permits(host, address, port) for address in addresses):
            raise FetchRefused(not_reached(host))
        return addresses

    async def aclose(self) -> None:
        await self._inner.aclose()


def not_reached(host: str) -> str:
    """One sentence for names that do not exist, private ones and other ports: what exists in a network is nobody's business."""
    return (
        f"{host} was not found, or is in a private network or at a port that is not the web's, which the studio does not read."
        " Check the URL, paste the text, or ask your administrator to allow this address."
    )


def _pinned(request: httpx.Request, host: str, address: Address) -> httpx.Request:
    """The same request to ``address``; its headers already include ``Host``."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        extensions={**request.extensions, "sni_hostname": host},
    )


@dataclass(frozen=True)
class Fetcher:
    """Fetches pages within limits: bytes after decompression, total seconds, redirects."""

    allowed: Allowed = field(default_factory=Allowed)
    max_bytes: int = 10 * 1024 * 1024
    seconds: float = 15.0
    max_redirects: int = 5
    resolve: Resolve = resolve

    async def fetch(self, address: str, expected: Expected = DOCUMENTS) -> Fetched:
        """Fetches ``address``. Raises FetchRefused with a message for the person who gave it."""
        url = parse_address(address)
        try:
            async with asyncio.timeout(self.seconds), self._client() as client:
                return await self._follow(client, url, expected)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise FetchRefused(
                f"{url.host} did not respond within {self.seconds:g} seconds. Try again later, or paste the text."
            ) from error
        except httpx.RequestError as error:
            raise FetchRefused(
                f"The connection to {url.host} failed ({error or type(error).__name__}). Check the URL."
            ) from error
        except BAD_ADDRESS as error:
            logger.info("%s leads to an address that cannot be requested: %r", url, error)
            raise FetchRefused(f"{url.host} redirects to an invalid URL. Use the page's final URL.") from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=GuardedTransport(self.allowed, self.resolve),
            headers={"User-Agent": USER_AGENT, "Accept": ACCEPT, "Accept-Encoding": "gzip"},
            timeout=self.seconds,
            trust_env=False,
        )

    async def _follow(self, client: httpx.AsyncClient, url: httpx.URL, expected: Expected) -> Fetched:
        for _ in range(self.max_redirects + 1):
            async with client.stream("GET", url) as response:
                if response.has_redirect_location:
                    url = parse_address(response.headers["location"], base=url)
                else:
                    return await self._accept(url, response, expected)
            client.cookies.clear()  # pages are read as a first-time visitor sees them
        raise FetchRefused(f"{url.host} redirects more than {self.max_redirects} times. Use the page's final URL.")

    async def _accept(self, url: httpx.URL, response: httpx.Response, expected: Expected) -> Fetched:
        if not response.is_success:
            raise FetchRefused(_status_message(url.host, response.status_code))
        content_type = response.headers.get("content-type", "")
        if not expected.accepts(content_type, url.path):
            raise FetchRefused(
                f"{url.host} sent {content_type[:80] or 'a file of unknown type'}. The studio can read"
                f" {expected.names}."
            )
        body = await self._read(url.host, response)
        return Fetched(str(url), content_type, body, response.charset_encoding or "")

    async def _read(self, host: str, response: httpx.Response) -> bytes:
        """The decompressed body. httpx would decompress a whole chunk at once, and with it a bomb."""
        inflate = _inflater(host, response.headers.get("content-encoding", ""))
        body = bytearray()
        async for chunk in response.aiter_raw():
            try:
                body += inflate.decompress(chunk, self.max_bytes + 1 - len(body)) if inflate else chunk
            except zlib.error as error:
                raise FetchRefused(f"The response of {host} is damaged. Try again later, or paste the text.") from error
            if len(body) > self.max_bytes:
                raise FetchRefused(
                    f"The page at {host} is larger than {self.max_bytes / 1024**2:.3g} MB. Paste the relevant part."
                )
        if inflate and not inflate.eof:
            raise FetchRefused(f"The response of {host} was cut off. Try again later, or paste the text.")
        return bytes(body)


def parse_address(address: str, base: httpx.URL | None = None) -> httpx.URL:
    """Parses a URL that may be fetched, relative to ``base`` if it is a redirect's. Raises FetchRefused."""
    try:
        url = base.join(address) if base else httpx.URL(address.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchRefused("This is not a URL. It should look like https://example.org/page.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchRefused("Only URLs that begin with http:// or https:// can be read.")
    if url.userinfo:
        raise FetchRefused("The URL contains a user name or password. Remove it, or paste the text.")
    return url


def _inflater(host: str, encoding: str) -> zlib._Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    raise FetchRefused(f"{host} uses an unsupported content encoding ({encoding[:40]}). Paste the text instead.")


def _status_message(host: str, status: int) -> str:
    if status in (401, 402, 403, 407, 451):
        return f"{host} requires sign-in or blocks this page ({status}). Paste its text instead."
    if status in (404, 410):
        return f"{host} has no such page ({status}). Check the URL."
    return f"{host} failed to serve this page ({status}). Try again later, or paste the text."
