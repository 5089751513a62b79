"""Back-pressure for a connection: writers wait until the client has read enough."""

from __future__ import annotations

import asyncio
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

WRITE_TIMEOUT = 10.0  # seconds a client may take to read before it is disconnected


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
