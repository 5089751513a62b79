"""Daphne, but a socket's ``send`` waits until its reader has room for more, and raises TimeoutError where that takes too long.

Daphne's own returns at once and keeps in memory whatever the reader has not taken yet, without limit. Run it as Daphne is:
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

PATIENCE = 10.0  # seconds a client may take to make room for what it is told
FAREWELL = 5.0
"""Seconds a client has to answer that the socket is closed. After Autobahn's one a slow network loses the last that was said."""


@implementer(IPushProducer)
class Room:
    """Whether a connection takes more: Twisted pauses who writes to it once 64 kB wait to be sent.

    While it does not, it is not read either: a client that talks and never listens would fill the memory all the same.
    The methods' names are Twisted's.
    """

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._room = asyncio.Event()
        self._room.set()

    async def wait(self) -> None:
        """Raises TimeoutError after ``PATIENCE``."""
        if not self._room.is_set():
            async with asyncio.timeout(PATIENCE):
                await self._room.wait()

    def pauseProducing(self) -> None:
        self._room.clear()
        self._transport.pauseProducing()

    def resumeProducing(self) -> None:
        self._room.set()
        self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is lost: nobody has to wait for it any more."""
        self._room.set()


class PacedServer(Server):  # type: ignore[misc]  # Daphne has no types
    def protocol_connected(self, protocol: Any) -> None:
        super().protocol_connected(protocol)
        if isinstance(protocol, WebSocketProtocol):
            room = self.connections[protocol]["room"] = Room(protocol.transport)
            protocol.unregisterProducer()  # the HTTP request it was upgraded from
            protocol.registerProducer(room, True)
            protocol.closeHandshakeTimeout = FAREWELL

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_CLOSED:
            # Its handshake took too long. Accepted in that moment, it would live on, and its application never hear of an end.
            return
        with suppress(Disconnected):  # the client is leaving: nobody hears what is still said
            await super().handle_reply(protocol, message)
        room: Room | None = self.connections.get(protocol, {}).get("room")
        if room is not None and message["type"] == "websocket.send":
            await room.wait()


class PacedDaphne(CommandLineInterface):  # type: ignore[misc]  # Daphne has no types
    server_class = PacedServer


if __name__ == "__main__":
    PacedDaphne.entrypoint()
