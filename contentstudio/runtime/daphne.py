"""Daphne with back-pressure: a socket's ``send`` waits until the client has read enough, or raises TimeoutError.

Daphne's own returns at once and buffers without limit what the client has not read. Start it like Daphne:
``python -m contentstudio.runtime.daphne contentstudio.asgi:application``.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from autobahn.exception import Disconnected
from daphne.cli import CommandLineInterface
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

WRITE_TIMEOUT = 10.0  # seconds a client may take to read before it is disconnected
CLOSE_TIMEOUT = 5.0
"""Seconds to wait for the client's close frame. With Autobahn's 1 s a slow network loses the last messages."""


@implementer(IPushProducer)
class WriteGate:
    """Closed while more than 64 kB wait to be sent: Twisted then pauses the producer, which is this.

    Reading pauses too: a client that sends without reading would fill the memory all the same. Twisted names the methods.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._is_open = asyncio.Event()
        self._is_open.set()

    async def wait(self) -> None:
        """Raises TimeoutError after ``WRITE_TIMEOUT``."""
        if not self._is_open.is_set():
            async with asyncio.timeout(WRITE_TIMEOUT):
                await self._is_open.wait()

    def pauseProducing(self) -> None:
        self._is_open.clear()
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        self._is_open.set()
        self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is lost: nothing has to wait for it."""
        self._is_open.set()


class StudioServer(Server):  # type: ignore[misc]  # Daphne has no types
    def protocol_connected(self, protocol: Any) -> None:
        super().protocol_connected(protocol)
        if isinstance(protocol, WebSocketProtocol):
            gate = self.connections[protocol]["write_gate"] = WriteGate(protocol.transport)
            protocol.unregisterProducer()  # the HTTP request it was upgraded from
            protocol.registerProducer(gate, True)
            protocol.closeHandshakeTimeout = CLOSE_TIMEOUT

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_CLOSED:
            # The handshake timed out. Accepted now, it would stay open and its application would never see a disconnect.
            return
        with suppress(Disconnected):  # the client is closing the connection
            await super().handle_reply(protocol, message)
        gate: WriteGate | None = self.connections.get(protocol, {}).get("write_gate")
        if gate is not None and message["type"] == "websocket.send":
            await gate.wait()


class StudioDaphne(CommandLineInterface):  # type: ignore[misc]  # Daphne has no types
    server_class = StudioServer


if __name__ == "__main__":
    StudioDaphne.entrypoint()
