"""Fetching a page someone else named, without letting them reach what only this machine can reach (SSRF).

The name is resolved here, every address it has is checked, and the connection goes to an address that was checked, so a
name that answers differently the second time (DNS rebinding) gains nothing. Each redirect passes the same guard. A proxy
named in the environment is not used: it would resolve the name again, out of our sight.
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
ADDRESSES_TRIED = 3

BAD_ADDRESS = (httpx.InvalidURL, UnicodeError, ValueError, OverflowError, ExceptionGroup)
"""What httpx and the libraries below it raise for addresses no server has: ``mailto:x``, ``http://xn--/``, port 99999999999."""

Resolve = Callable[[str, int], Awaitable[list[Address]]]


@dataclass(frozen=True)
class Fetched:
    """What a server answered. ``url`` is where the redirects ended; ``charset`` is empty where the server named none."""

    url: str
    content_type: str
    body: bytes
    charset: str = ""


@cache
def tls_context() -> ssl.SSLContext:
    """One context for all requests: loading the certificates takes 20 ms each time. Honours ``SSL_CERT_FILE``."""
    return httpx.create_ssl_context()


async def resolve(host: str, port: int) -> list[Address]:
    """Every address ``host`` has, by the system's own resolver, which may take its time. Raises OSError where it has none."""
    answers = await run_in_daemon_thread(partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM))
    # An IPv6 address may carry a scope ("fe80::1%eth0"), which ip_address keeps.
    return list(dict.fromkeys(ip_address(answer[4][0]) for answer in answers))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends a request to an address that was checked, under the name that was asked for (``Host``, TLS)."""

    def __init__(self, allowed: Allowed, resolve: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolve
        # A kept connection would be found again by its address alone, though it was opened for another name.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(verify=tls_context(), trust_env=False, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        *first, last = (await self._checked(host, port))[:ADDRESSES_TRIED]
        for address in first:
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._inner.handle_async_request(_pinned(request, host, last))

    async def _checked(self, host: str, port: int) -> list[Address]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise FetchRefused(f"There is no server named {host}. Check the address.") from error
        if not addresses or not all(self._allowed.permits(host, address) for address in addresses):
            raise FetchRefused(
                f"{host} is in a private network, which the studio does not read. Paste the text instead, or have the"
                " operator add the host to FETCH_ALLOW."
            )
        return addresses

    async def aclose(self) -> None:
        await self._inner.aclose()


def _pinned(request: httpx.Request, host: str, address: Address) -> httpx.Request:
    """The same request, addressed to ``address``; ``Host`` is among its headers already."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        extensions={**request.extensions, "sni_hostname": host},
    )


@dataclass(frozen=True)
class Fetcher:
    """Fetches pages within limits: bytes after decompression, seconds in all, redirects."""

    allowed: Allowed = field(default_factory=Allowed)
    max_bytes: int = 10 * 1024 * 1024
    seconds: float = 15.0
    max_redirects: int = 5
    resolve: Resolve = resolve

    async def fetch(self, address: str, expected: Expected = DOCUMENTS) -> Fetched:
        """What is at ``address``. Raises FetchRefused, whose words tell the person who gave it what to do."""
        url = parse_address(address)
        try:
            async with asyncio.timeout(self.seconds), self._client() as client:
                return await self._follow(client, url, expected)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise FetchRefused(
                f"{url.host} did not deliver the page within {self.seconds:g} seconds. Try again later, or paste the text."
            ) from error
        except httpx.RequestError as error:
            raise FetchRefused(
                f"The connection to {url.host} failed ({error or type(error).__name__}). Check the address."
            ) from error
        except BAD_ADDRESS as error:
            logger.info("%s leads to an address that cannot be requested: %r", url, error)
            raise FetchRefused(
                f"{url.host} redirects to an address that cannot be read. Give the page's final address."
            ) from error

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
            client.cookies.clear()  # none is kept: a page is read as any first visitor would see it
        raise FetchRefused(f"{url.host} redirects more than {self.max_redirects} times. Give the page's final address.")

    async def _accept(self, url: httpx.URL, response: httpx.Response, expected: Expected) -> Fetched:
        if not response.is_success:
            raise FetchRefused(_why(url.host, response.status_code))
        content_type = response.headers.get("content-type", "")
        if not expected.accepts(content_type, url.path):
            raise FetchRefused(
                f"{url.host} serves this as {content_type[:80] or 'a file of unknown type'}. What can be read there are"
                f" {expected.names}."
            )
        body = await self._read(url.host, response)
        return Fetched(str(url), content_type, body, response.charset_encoding or "")

    async def _read(self, host: str, response: httpx.Response) -> bytes:
        """The body, decompressed by ourselves: a library that unpacks a chunk whole would unpack a bomb whole."""
        inflate = _inflater(host, response.headers.get("content-encoding", ""))
        body = bytearray()
        async for chunk in response.aiter_raw():
            try:
                body += inflate.decompress(chunk, self.max_bytes + 1 - len(body)) if inflate else chunk
            except zlib.error as error:
                raise FetchRefused(f"What {host} sent is damaged. Try again later, or paste the text.") from error
            if len(body) > self.max_bytes:
                raise FetchRefused(
                    f"The page at {host} is larger than {self.max_bytes / 1024**2:.3g} MB. Paste the part that matters."
                )
        if inflate and not inflate.eof:
            raise FetchRefused(f"What {host} sent was cut off. Try again later, or paste the text.")
        return bytes(body)


def parse_address(address: str, base: httpx.URL | None = None) -> httpx.URL:
    """``address`` as a URL the studio would fetch, relative to ``base`` where it came from a redirect."""
    try:
        url = base.join(address) if base else httpx.URL(address.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchRefused("This is not a web address. It should look like https://example.org/page.") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise FetchRefused("Only addresses that begin with http:// or https:// can be read.")
    if url.userinfo:
        raise FetchRefused("The address holds a user name or password. Give it without, or paste the text.")
    return url


def _inflater(host: str, encoding: str) -> zlib._Decompress | None:
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    raise FetchRefused(
        f"{host} packs its pages in a way that was not asked for ({encoding[:40]}). Paste the text instead."
    )


def _why(host: str, status: int) -> str:
    if status in (401, 402, 403, 407, 451):
        return f"{host} does not show this page to everyone ({status}). Paste its text instead."
    if status in (404, 410):
        return f"{host} has no such page ({status}). Check the address."
    return f"{host} could not serve this page ({status}). Try again later, or paste the text."
