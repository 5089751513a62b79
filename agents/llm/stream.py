"""A streamed answer as it comes over the wire: server-sent events whose data is JSON.

The openai client makes a pydantic model of each chunk, and wakes for each. At a token a chunk that is most of what an article
costs in CPU. Here a chunk is parsed as JSON, and ``agents.llm.transport`` brings many at a time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import httpx

from agents.llm.errors import endless_answer

END = b"[DONE]"
MOST_BYTES = 64 * 2**20
DRAIN_SECONDS = 0.1


async def chunks(response: httpx.Response, silence: float) -> AsyncGenerator[list[Any]]:
    """The chunks of a streamed answer, parsed, as many at a time as have come. Any JSON may be among them.

    Raises ValueError where one is no JSON, TimeoutException after ``silence`` seconds in which only signs of life came,
    and what httpx raises.
    """
    events, heard, size = Events(), time.monotonic(), 0
    parts = response.aiter_bytes()
    async for part in parts:
        now, size = time.monotonic(), size + len(part)
        found = list(events.fed(part))
        if size > MOST_BYTES:
            raise endless_answer()
        if found:
            heard = now
            ends = END in found
            yield [_parsed(event) for event in (found[: found.index(END)] if ends else found)]
            if ends:
                await _drain(parts)
                return
        elif now - heard > silence:
            raise httpx.ReadTimeout("only comments came", request=response.request)


def _parsed(event: bytes) -> Any:
    try:
        return json.loads(str(event, "utf-8"))
    except RecursionError as error:
        raise ValueError("a chunk is nested without end") from error


async def _drain(parts: AsyncIterator[bytes]) -> None:
    """Read to the end of the body, which mostly is there: only then can the connection be used again."""
    with suppress(TimeoutError, httpx.TransportError):  # the answer is whole; a connection that is kept open is closed
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in parts:
                pass


class Events:
    """The data of server-sent events (WHATWG HTML, 9.2.6) in bytes that are cut anywhere. Other fields are left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def fed(self, part: bytes) -> Iterator[bytes]:
        """The events that end in ``part``."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            field = line.removesuffix(b"\r")
            if field.startswith(b"data:"):
                self._data.append(field[5:].removeprefix(b" "))
            elif not field and self._data:
                yield b"\n".join(self._data)
                self._data = []
