"""Daphne with limits and back-pressure. Everything that is private in Daphne, Twisted and Autobahn is used here only.

- A socket's ``send`` waits until the client has read enough, or raises TimeoutError. Daphne's own returns at once and
  buffers without limit what the client has not read.
- Requests are refused as soon as their headers or the bytes received exceed ``request_limits``. Twisted would receive
  bodies of any size, parse forms in the event loop, and wait forever.
- The application gets the body as the file Twisted received it in. Daphne would read all of it into memory.

Start it like Daphne: ``python -m contentstudio.runtime.daphne contentstudio.asgi:application``. What is private here is
checked against the installed versions in tests/test_daphne_contract.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any
from weakref import WeakSet

import daphne.server
from autobahn.exception import Disconnected
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.web.http import HTTPChannel

from contentstudio.runtime import request_limits as limits
from contentstudio.runtime.asgi_handler import BODY_FILE
from contentstudio.runtime.write_gate import WriteGate

log = logging.getLogger(__name__)

CLOSE_TIMEOUT = 5.0
"""Seconds to wait for the client's close frame. With Autobahn's 1 s a slow network loses the last messages."""
LINGER_TIMEOUT = 5.0
"""Seconds for which the rest of a refused request is read and dropped. If the connection were closed at once, the client's
kernel would discard the response as well."""


STOP_TIMEOUT = 8.0  # seconds for requests that are being answered when the server is stopped
BACKLOG = 1024  # connections that wait to be accepted
SERVICE_RESTART = 1012  # close code, RFC 6455 section 7.4

TRY_AGAIN = "The studio is receiving too many uploads. Try again in a few seconds."


class StudioRequest(WebRequest):  # type: ignore[misc]  # Daphne has no types
    """A request whose body is counted while it arrives, and left to Django to parse."""

    max_size = 0  # bytes of its body
    received = 0
    _reservation: tuple[limits.BodyBudget, int] | None = None

    def __init__(self, channel: Any, queued: object) -> None:
        super().__init__(channel, queued, parsePOSTFormSubmission=False)

    def reserve(self, budget: limits.BodyBudget, size: int) -> bool:
        """Accept a body of ``size`` bytes, reserved until the request has ended; False if the budget is exhausted."""
        if not budget.reserve(size):
            return False
        self._reservation, self.max_size = (budget, size), size
        return True

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.channel.is_refused:
            return
        if self.received > self.max_size:
            self.channel.refuse_size()
        else:
            super().handleContentChunk(data)

    def finish(self) -> None:
        self._release()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        self._release()
        super().connectionLost(reason)

    def _release(self) -> None:
        if self._reservation:
            (budget, size), self._reservation = self._reservation, None
            budget.release(size)


# Twisted's types are incomplete.
TwistedChannel: Any = HTTPChannel
twisted_endpoint: Any = serverFromString
AdoptedEndpoint: Any = AdoptedStreamServerEndpoint


class StudioChannel(TwistedChannel):  # type: ignore[misc]
    """An HTTP connection that refuses a request as soon as it proves too large or too slow."""

    is_refused = False
    _is_busy = False  # a request is complete and being answered
    _in_body = False
    _since: float | None = None  # when the request began to arrive, or the present window of its body
    _received = 0  # bytes of the body before that window

    def dataReceived(self, data: bytes) -> None:
        if self.is_refused:
            return
        if self._since is None and not self._is_busy:
            self._since = time.monotonic()
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        request, size = self.requests[-1], self.length
        self._in_body, self._since, self._received = True, time.monotonic(), 0
        if size is None or size <= limits.max_body():
            if request.reserve(self.factory.forms, limits.max_body() if size is None else size):
                super().allHeadersReceived()
            else:
                self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, TRY_AGAIN)
        elif size <= limits.max_upload() and limits.is_upload(self._command, self._path, content_type(request)):
            request.max_size = size
            super().allHeadersReceived()
            self._pause_until_authorised(request, size)
        else:
            self.refuse_size()

    def _pause_until_authorised(self, request: StudioRequest, size: int) -> None:
        self._since = None
        self.transport.pauseProducing()
        cookies = b"; ".join(request.requestHeaders.getRawHeaders(b"Cookie", [])).decode("latin-1")
        checking = asyncio.ensure_future(limits.is_signed_in(cookies))
        checking.add_done_callback(partial(self._receive_if_authorised, request, size))

    def _receive_if_authorised(self, request: StudioRequest, size: int, checking: asyncio.Future[bool]) -> None:
        if request.channel is None or checking.cancelled():  # the connection is lost, or the server stops
            return
        if error := checking.exception():
            log.error("the sender of an upload could not be checked", exc_info=error)
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, TRY_AGAIN)
        elif not checking.result():
            self.refuse_size()
        elif not request.reserve(self.factory.uploads, size):
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, TRY_AGAIN)
        self._since = time.monotonic()
        self.transport.resumeProducing()

    def allContentReceived(self) -> None:
        if not self.is_refused:
            self._is_busy, self._in_body, self._since = True, False, None
            super().allContentReceived()

    def requestDone(self, request: StudioRequest) -> None:
        self._is_busy = False
        super().requestDone(request)

    def refuse_size(self) -> None:
        self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The request is larger than {limits.max_body() // 1024} kB.")

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer, then drop what still arrives, and close after ``LINGER_TIMEOUT``."""
        self.is_refused, self._since = True, None
        kind, text = "text/plain; charset=utf-8", detail
        if self._path.startswith(b"/api/"):
            kind, text = "application/json", json.dumps({"detail": detail})
        headers = {"Content-Type": kind, "Content-Length": len(text.encode()), "Cache-Control": "no-store"}
        headers |= {"Connection": "close", "X-Content-Type-Options": "nosniff"}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = 10
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", text]).encode())
        self.transport.loseWriteConnection()
        self.setTimeout(LINGER_TIMEOUT)

    def close_if_overdue(self, now: float) -> None:
        if self._since is None:
            return
        seconds = now - self._since
        if not self._in_body:
            if seconds > limits.HEADERS_TIMEOUT:
                self.transport.abortConnection()
        elif seconds > limits.RATE_WINDOW:
            received = self.requests[-1].received
            if received - self._received < limits.LOWEST_RATE * seconds:
                self.refuse(HTTPStatus.REQUEST_TIMEOUT, "The request arrived too slowly.")
            else:
                self._since, self._received = now, received

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.factory.limiter.close(address_of(self.transport.getPeer()))


def content_type(request: StudioRequest) -> bytes:
    value: bytes = request.requestHeaders.getRawHeaders(b"Content-Type", [b""])[0]
    return value


def address_of(peer: Any) -> str:
    """The address of a client; empty for a UNIX socket."""
    return getattr(peer, "host", "")


class StudioHTTPFactory(HTTPFactory):  # type: ignore[misc]  # Daphne has no types
    protocol = StudioChannel  # Twisted's own is a wrapper of it for HTTP/2

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.forms = limits.BodyBudget(limits.MAX_FORMS_IN_PROGRESS)
        self.uploads = limits.BodyBudget(limits.MAX_UPLOADS_IN_PROGRESS * limits.max_upload())
        self.limiter = limits.ConnectionLimiter()
        self._channels: WeakSet[StudioChannel] = WeakSet()  # those that became sockets are forgotten with their request

    def buildProtocol(self, addr: Any) -> StudioChannel | None:
        """None, which closes the connection, if its client has too many."""
        if not self.limiter.open(address_of(addr)):
            return None
        channel: StudioChannel = super().buildProtocol(addr)
        channel.requestFactory = StudioRequest
        self._channels.add(channel)
        return channel

    def close_overdue(self) -> None:
        now = time.monotonic()
        for channel in list(self._channels):
            channel.close_if_overdue(now)


class StudioWebSocket(WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    closeHandshakeTimeout = CLOSE_TIMEOUT

    def serverClose(self, code: int | None = None) -> None:
        """Daphne calls Autobahn's ``sendClose``, which raises for codes such as 1013 (try again later)."""
        self.sendCloseFrame(code=1000 if code is None else code)

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.factory.server_class.http_factory.limiter.close(address_of(self.transport.getPeer()))


class StudioWebSocketFactory(WebSocketFactory):  # type: ignore[misc]  # Daphne has no types
    protocol = StudioWebSocket


def server_endpoint(reactor: Any, description: str) -> Any:
    """An endpoint of Twisted's, or of ``reuseport:PORT:HOST``: one of several processes that listen on the same port.

    The kernel shares the connections out among the sockets. Of processes that share one socket, the first to wake up would
    accept all that wait, and keep them.
    """
    kind, _, address = description.partition(":")
    if kind != "reuseport":
        return twisted_endpoint(reactor, description)
    port, _, host = address.partition(":")
    family, _, _, _, name = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
    listener.bind(name)
    listener.listen(BACKLOG)
    return AdoptedEndpoint(reactor, listener.detach(), family)


# Server.run looks them up by these names.
daphne.server.HTTPFactory = StudioHTTPFactory
daphne.server.WebSocketFactory = StudioWebSocketFactory
daphne.server.serverFromString = server_endpoint


class StudioServer(Server):  # type: ignore[misc]  # Daphne has no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ports: list[Any] = []

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def kill_all_applications(self) -> Deferred[None]:
        """Called before the server stops, which waits for the result."""
        return Deferred.fromFuture(asyncio.ensure_future(self._stop_gracefully()))

    async def _stop_gracefully(self) -> None:
        """Accept no connections, close the sockets, finish the requests that are being answered, cancel what is left."""
        for port in self._ports:
            port.stopListening()
        for protocol in list(self.connections):
            if isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_OPEN:
                protocol.serverClose(code=SERVICE_RESTART)
        if requests := self._running_applications(WebRequest):
            await asyncio.wait(requests, timeout=STOP_TIMEOUT)
        if others := self._running_applications(object):
            for application in others:
                application.cancel()
            await asyncio.wait(others, timeout=1)

    def _running_applications(self, kind: type) -> list[asyncio.Future[None]]:
        """Those that answer a connection of this kind."""
        found = [
            details.get("application_instance")
            for protocol, details in self.connections.items()
            if isinstance(protocol, kind)
        ]
        return [application for application in found if application and not application.done()]

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if scope["type"] == "http":
            scope["extensions"] = {BODY_FILE: {"file": protocol.content}}
            protocol.content = BytesIO()  # what Daphne reads and sends: nothing
        return super().create_application(protocol, scope)

    def protocol_connected(self, protocol: Any) -> None:
        super().protocol_connected(protocol)
        if isinstance(protocol, WebSocketProtocol):
            gate = self.connections[protocol]["write_gate"] = WriteGate(protocol.transport)
            protocol.unregisterProducer()  # the HTTP request it was upgraded from
            protocol.registerProducer(gate, True)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_CLOSED:
            # The handshake timed out. Accepted now, it would stay open and its application would never see a disconnect.
            return
        with suppress(Disconnected):  # the client is closing the connection
            await super().handle_reply(protocol, message)
        gate: WriteGate | None = self.connections.get(protocol, {}).get("write_gate")
        if gate is not None and message["type"] == "websocket.send":
            await gate.wait()

    def timeout_checker(self) -> None:
        """Called every two seconds."""
        super().timeout_checker()
        self.http_factory.close_overdue()


class StudioDaphne(CommandLineInterface):  # type: ignore[misc]  # Daphne has no types
    server_class = StudioServer


if __name__ == "__main__":
    limits.raise_open_file_limit()
    StudioDaphne.entrypoint()
