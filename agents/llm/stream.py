"""Reads a streamed answer: server-sent events that contain JSON.

The openai client builds a pydantic model of every chunk and wakes for each; with one token per chunk that was most of the CPU
of an article. Here chunks are plain JSON, and many are read at once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from agents.llm.errors import endless_answer

END = b"[DONE]"
MAX_BYTES = 64 * 2**20
DRAIN_SECONDS = 0.1

READ_INTERVAL = 0.1
"""Seconds. All streams of a process are read at the same multiples of this: waking costs more than what is then read. The end
of an answer is seen half an interval late."""

FEW_STREAMS, SHORT_READ_INTERVAL = 2, 0.04
"""With so few streams the article usually waits for their end, and waking for each costs little."""

MAX_BATCH = 2**14
"""Bytes per read. A stream that delivers as much as this is read as fast as it comes."""


class ReadSchedule:
    """How long to wait before the next read, by the number of streams open in the process."""

    def __init__(self) -> None:
        self._open = 0

    @contextmanager
    def stream(self) -> Iterator[None]:
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def next_read(self) -> None:
        """Returns at the next multiple of the interval."""
        interval = READ_INTERVAL if self._open > FEW_STREAMS else SHORT_READ_INTERVAL
        now = asyncio.get_running_loop().time()
        await asyncio.sleep((now // interval + 1) * interval - now)


_schedule = ReadSchedule()


async def read_chunks(response: httpx.Response, silence: float) -> AsyncGenerator[list[Any]]:
    """The parsed chunks of a streamed answer, as many at once as have arrived. They may be any JSON.

    Raises ValueError for a chunk that is no JSON, httpx.ReadTimeout after ``silence`` seconds of mere keep-alive comments, and
    what httpx and aiohttp raise.
    """
    parser, last_event, size = EventParser(), time.monotonic(), 0
    parts = response.aiter_bytes()
    with _schedule.stream():
        async for part in parts:
            now, size = time.monotonic(), size + len(part)
            events = list(parser.feed(part))
            if size > MAX_BYTES:
                raise endless_answer()
            if events:
                last_event = now
                ended = END in events
                yield [_parsed(event) for event in (events[: events.index(END)] if ended else events)]
                if ended:
                    await _drain(parts)
                    return
            elif now - last_event > silence:
                raise httpx.ReadTimeout("only comments arrived", request=response.request)
            if len(part) < MAX_BATCH:
                await _schedule.next_read()


def _parsed(event: bytes) -> Any:
    try:
        return json.loads(str(event, "utf-8"))
    except RecursionError as error:
        raise ValueError("a chunk is nested too deeply") from error


async def _drain(parts: AsyncIterator[bytes]) -> None:
    """Read the body to its end, which has usually arrived: only then the connection can be reused."""
    with suppress(TimeoutError, httpx.TransportError):  # the answer is complete; the connection is closed instead
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in parts:
                pass


class EventParser:
    """Parses server-sent events (WHATWG HTML, 9.2.6) from bytes that are split anywhere. Only their data is kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, part: bytes) -> Iterator[bytes]:
        """The data of the events that end in ``part``."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            field = line.removesuffix(b"\r")
            if field.startswith(b"data:"):
                self._data.append(field[5:].removeprefix(b" "))
            elif not field and self._data:
                yield b"\n".join(self._data)
                self._data = []
