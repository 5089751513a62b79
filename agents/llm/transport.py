"""HTTP for the model's client: what httpx asks for goes over aiohttp's wire.

A streamed answer is hundreds of packets, of 26 answers at a time. httpcore and h11 wake the reader for each and parse in Python;
aiohttp parses in C, and lets go of a socket for a while, so that the kernel gathers what comes.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

TICK = 0.1
"""Seconds. All streams of a process are read on the same ticks of the clock: waking costs more than what is then read. An
answer's end is heard half a tick late; what an article costs in CPU is a fifth less."""

FEW, SHORT_TICK = 2, 0.04
"""Where so few streams are read the article mostly waits for their end, and to wake for them costs little."""

MAX_BATCH_BYTES = 2**15
"""Bytes in one tick: of a server that sends more, a stream is read as fast as it comes."""


class ModelTransport(httpx.AsyncBaseTransport):
    """A pool of connections, without a limit of its own. Proxies are those of the environment.

    Raises ``httpx.TransportError`` as httpx does; what aiohttp or the socket said of it is its cause.
    """

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None
        self._streams: set[BatchedStream] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        limits = request.extensions.get("timeout", {})
        with translate_errors():
            response = await self._opened().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=await request.aread() or None,
                allow_redirects=False,
                proxy=proxy_for(request.url),
                timeout=aiohttp.ClientTimeout(connect=limits.get("connect"), sock_read=limits.get("read")),
            )
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=BatchedStream(response, self._streams)
        )

    def _opened(self) -> aiohttp.ClientSession:
        """The session; it has to be made where the loop runs."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=self._trusted),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                auto_decompress=False,  # httpx does that
            )
        return self._session

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class BatchedStream(httpx.AsyncByteStream):
    """The body of a response. Of a stream of events, as ``streams`` are, as much at a time as has come within a tick."""

    def __init__(self, response: aiohttp.ClientResponse, streams: set[BatchedStream]) -> None:
        self._response = response
        self._streams = streams
        if response.content_type == "text/event-stream":
            streams.add(self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        with translate_errors():
            while gulp := await content.readany():
                yield gulp
                if self in self._streams and len(gulp) < MAX_BATCH_BYTES:
                    await rest(self._response, TICK if len(self._streams) > FEW else SHORT_TICK)

    async def aclose(self) -> None:
        """Close the connection, or keep it where the body was read to its end."""
        self._streams.discard(self)
        self._response.release()


async def rest(response: aiohttp.ClientResponse, tick: float) -> None:
    """Until the next multiple of ``tick`` seconds. What comes meanwhile is gathered by the kernel, which wakes nobody for it."""
    transport = response.connection and response.connection.transport
    if not transport:
        return
    now = asyncio.get_running_loop().time()
    transport.pause_reading()
    try:
        await asyncio.sleep((now // tick + 1) * tick - now)
    finally:
        transport.resume_reading()


@contextmanager
def translate_errors() -> Iterator[None]:
    try:
        yield
    except aiohttp.ClientError as error:
        raise _translated(error) from error.__cause__ or error


def _translated(error: Exception) -> httpx.TransportError:
    told = str(error)
    match error:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout(told)
        case aiohttp.ServerTimeoutError():
            return httpx.ReadTimeout(told)
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return httpx.ProxyError(told)
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(told)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return httpx.UnsupportedProtocol(told)
    return httpx.RemoteProtocolError(told)


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY name for an address."""
    proxies = getproxies()
    if not proxies or proxy_bypass(url.host):
        return None
    return proxies.get(url.scheme) or proxies.get("all")
