"""The private names of Daphne, Twisted and Autobahn used by contentstudio/runtime/daphne.py behave as it expects.

Bytes go in at one end of a connection, without a network, and the requests that come out are examined.
"""

from __future__ import annotations

import asyncio
from typing import Any

import daphne.server
import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from daphne.http_protocol import WebRequest
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from contentstudio.runtime import daphne as studio
from contentstudio.runtime import request_limits
from contentstudio.runtime.asgi_handler import BODY_FILE

FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


class Transport(StringTransport):
    """Records that its write side is closed."""

    is_half_closed = False

    def loseWriteConnection(self) -> None:
        self.is_half_closed = True


class Server(studio.StudioServer):
    """Keeps the requests instead of answering them."""

    def __init__(self) -> None:
        super().__init__(application=self.note, endpoints=["none"])
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = studio.StudioHTTPFactory(self)
        self.http_factory.reactor = self.clock = Clock()
        self.scopes: list[dict[str, Any]] = []
        self.requests: list[Any] = []

    async def note(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        self.requests.append(send.args[0])

    async def connect(self) -> tuple[Any, Any]:
        transport: Any = Transport()  # type: ignore[no-untyped-call]  # Twisted's constructor has no types
        channel = self.http_factory.buildProtocol(transport.getPeer())
        assert channel is not None
        channel.makeConnection(transport)
        return channel, transport

    async def feed(self, channel: Any, *parts: bytes) -> None:
        for part in parts:
            channel.dataReceived(part)
        await asyncio.sleep(0)


@pytest.fixture
def server() -> Server:
    return Server()


def test_the_server_uses_our_classes() -> None:
    """Server.run looks up the factories in its module; under other names no limit would apply."""
    assert {"HTTPFactory", "WebSocketFactory"} <= set(daphne.server.Server.run.__code__.co_names)
    assert daphne.server.HTTPFactory is studio.StudioHTTPFactory
    assert daphne.server.WebSocketFactory is studio.StudioWebSocketFactory
    assert daphne.server.WebSocketFactory.protocol is studio.StudioWebSocket


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (HTTPChannel, "dataReceived allHeadersReceived allContentReceived requestDone connectionLost setTimeout"),
        (WebRequest, "handleContentChunk finish connectionLost process"),
        (daphne.server.Server, "create_application protocol_connected handle_reply timeout_checker"),
        (WebSocketServerProtocol, "registerProducer unregisterProducer onOpenHandshakeTimeout STATE_CLOSED"),
    ],
)
def test_overridden_methods_exist(owner: type, names: str) -> None:
    assert [name for name in names.split() if not hasattr(owner, name)] == []


async def test_a_request_reaches_the_application_with_its_body_as_a_file(server: Server) -> None:
    channel, _ = await server.connect()
    await server.feed(channel, b"POST /a?b=1 HTTP/1.1\r\n" + FORM + b"Content-Length: 5\r\n\r\n", b"a=1&", b"b")
    [scope], [request] = server.scopes, server.requests
    assert (scope["method"], scope["path"], scope["query_string"]) == ("POST", "/a", b"b=1")
    assert scope["extensions"][BODY_FILE]["file"].read() == b"a=1&b"
    message = request.application_queue.get_nowait()
    assert (message["body"], message["more_body"]) == (b"", False)
    assert request.args == {b"b": [b"1"]}, "Twisted has parsed the form, too"


async def test_the_request_line_is_known_when_the_headers_are(server: Server) -> None:
    channel, _ = await server.connect()
    seen: list[Any] = []
    channel.refuse_size = lambda: seen.append((channel._command, channel._path, channel.length))
    await server.feed(channel, b"PUT /x?y HTTP/1.1\r\nContent-Length: 9000000\r\n\r\n")
    assert seen == [(b"PUT", b"/x?y", 9_000_000)]


async def test_a_refused_request_is_answered_and_the_rest_dropped(server: Server) -> None:
    channel, transport = await server.connect()
    size = request_limits.max_body() + 1
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % size
    await server.feed(channel, head + b"x" * 1000, b"x" * (size - 1000))
    response = transport.value()
    assert response.startswith(b"HTTP/1.1 413 ")
    assert response.count(b"HTTP/1.1") == 1
    assert transport.is_half_closed
    assert not transport.disconnecting
    assert server.scopes == []
    server.clock.advance(studio.LINGER_TIMEOUT + 1)
    assert transport.disconnecting


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(server: Server) -> None:
    channel, transport = await server.connect()
    half = request_limits.max_body() // 2
    chunk = b"%x\r\n" % half + b"x" * half + b"\r\n"
    await server.feed(channel, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk)
    assert transport.value() == b""
    await server.feed(channel, chunk + b"0\r\n\r\n", chunk)
    assert transport.value().startswith(b"HTTP/1.1 413 ")
    assert server.scopes == []


async def test_reserved_bytes_are_released_at_the_end_of_a_request_or_connection(server: Server) -> None:
    forms = server.http_factory.forms
    channel, _ = await server.connect()
    await server.feed(channel, b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
    assert forms.reserved == 100_000
    await server.feed(channel, b"x" * 100_000)
    assert forms.reserved == 100_000, "it is still being answered"
    [request] = server.requests
    request.handle_reply({"type": "http.response.start", "status": 200, "headers": []})
    request.handle_reply({"type": "http.response.body", "body": b""})
    assert forms.reserved == 0
    await server.feed(channel, b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n")
    channel.connectionLost(Failure(ConnectionLost()))
    assert forms.reserved == 0


async def test_a_kept_alive_connection_resets_its_counters_for_the_next_request(server: Server) -> None:
    channel, transport = await server.connect()
    await server.feed(channel, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
    assert channel._since is None
    request = server.requests[0]
    request.handle_reply({"type": "http.response.start", "status": 200, "headers": []})
    request.handle_reply({"type": "http.response.body", "body": b""})
    await asyncio.sleep(0)
    assert [scope["path"] for scope in server.scopes] == ["/1", "/2"]
    channel.close_if_overdue(float("inf"))
    assert not transport.disconnecting


@pytest.mark.parametrize(
    ("sent", "seconds", "response"),
    [
        (b"GET / HT", request_limits.HEADERS_TIMEOUT + 1, b""),
        (b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nx", request_limits.RATE_WINDOW + 1, b"HTTP/1.1 408 "),
    ],
)
async def test_an_unfinished_request_is_overdue(server: Server, sent: bytes, seconds: float, response: bytes) -> None:
    channel, transport = await server.connect()
    await server.feed(channel, sent)
    began = channel._since
    channel.close_if_overdue(began + seconds - 2)
    assert not transport.value()
    channel.close_if_overdue(began + seconds)
    assert transport.value()[:13] == response
    assert transport.is_half_closed or transport.disconnecting


def test_a_socket_uses_our_class() -> None:
    factory = daphne.server.WebSocketFactory(object(), server="")
    protocol = factory.buildProtocol(None)
    assert isinstance(protocol, studio.StudioWebSocket)
    assert protocol.closeHandshakeTimeout == studio.CLOSE_TIMEOUT
