"""A connection to a web server on which a test sends what no HTTP client would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Connection:
    """A client that writes and reads raw HTTP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send_head(self, *lines: str) -> None:
        self._writer.write("\r\n".join([*lines, "Host: 127.0.0.1", "Connection: close", "", ""]).encode())
        await self._writer.drain()

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def read_until_closed(self, seconds: float = 30) -> str:
        async with asyncio.timeout(seconds):
            try:
                return (await self._reader.read()).decode()
            except ConnectionResetError:
                return ""

    async def upload(self, body: AsyncIterator[bytes]) -> tuple[str, int]:
        """The response, and how many bytes of ``body`` were sent before it came."""
        response = asyncio.create_task(self.read_until_closed())
        sent = 0
        async for part in body:
            if response.done():
                break
            await self.send(part)
            sent += len(part)
        return await response, sent


@asynccontextmanager
async def connected(address: str, source: str = "127.0.0.1") -> AsyncIterator[Connection]:
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def repeated(part: bytes, size: int) -> AsyncIterator[bytes]:
    for _ in range(size // len(part)):
        yield part
        await asyncio.sleep(0)
