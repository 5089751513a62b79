"""Clients that follow an article over a WebSocket and record when each event arrives."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

EVENTS_PER_REQUEST = 1000
LOG_ROW = re.compile(r'<tr [^>]*data-event="(\d+)"')
STATE_OF_PAGE = re.compile(r'<div id="seq" data-seq="(\d+)"')


@dataclass(frozen=True)
class Arrival:
    """When an event arrived, and when the socket it came over was opened; in seconds since the epoch."""

    seq: int
    at: float
    opened: float


@dataclass(frozen=True)
class Latencies:
    """Seconds from the timestamps of events to their arrival, and until everything that they changed had arrived."""

    arrivals: Sequence[float] = ()
    complete: Sequence[float] = ()


class Watcher:
    """The socket for API clients: a JSON message for each event."""

    path = "/ws/articles/{}"

    def __init__(self, api: aiohttp.ClientSession, article_id: int) -> None:
        self.api, self.article_id = api, article_id
        self.seq = 0
        self.arrivals: list[Arrival] = []
        self.complete: list[Arrival] = []
        """When everything that an event changed had arrived."""

    async def follow(self) -> dict[str, Any]:
        """Watch until the article ends; returns the final message. Reconnects if the socket is closed earlier."""
        while True:
            address = f"{self.path.format(self.article_id)}?after={self.seq}"
            async with self.api.ws_connect(address) as socket:
                opened = time.time()
                async for message in socket:
                    now = time.time()
                    content: dict[str, Any] = json.loads(message.data) if message.data.startswith("{") else {}
                    if content.get("type") == "final":
                        return content
                    newest, complete = self.newest_events(message.data, content)
                    known = self.arrivals[-1].seq if self.arrivals else 0
                    self.arrivals += [Arrival(seq, now, opened) for seq in range(known + 1, newest + 1)]
                    self.complete += [Arrival(seq, now, opened) for seq in range(self.seq + 1, complete + 1)]
                    self.seq = max(self.seq, complete)
            print(f"The socket of article {self.article_id} was closed ({socket.close_code}).", file=sys.stderr)

    def newest_events(self, text: str, content: dict[str, Any]) -> tuple[int, int]:
        """The numbers of the newest event in a message, and of the newest that is now shown completely; 0 if it has none."""
        seq = int(content.get("seq", 0))
        return seq, seq

    async def latencies(self) -> Latencies:
        """Of the events since the socket was opened."""
        timestamps = await self.timestamps()

        def since(arrivals: list[Arrival]) -> list[float]:
            return [each.at - timestamps[each.seq] for each in arrivals if timestamps[each.seq] > each.opened]

        return Latencies(since(self.arrivals), since(self.complete))

    async def timestamps(self) -> dict[int, float]:
        """The time of each event of the article, in seconds since the epoch."""
        found: dict[int, float] = {}
        while True:
            address = f"/api/articles/{self.article_id}/events?after={max(found, default=0)}&limit={EVENTS_PER_REQUEST}"
            async with self.api.get(address) as response:
                response.raise_for_status()
                events = (await response.json())["items"]
            found |= {event["seq"]: datetime.fromisoformat(event["timestamp"]).timestamp() for event in events}
            if len(events) < EVENTS_PER_REQUEST:
                return found


class PageWatcher(Watcher):
    """The socket of the article page: HTML fragments for all events since the last message.

    The end of a run is sent as its events first, and then with all panels and the number of the page's new state.
    """

    path = "/ws/articles/{}/page/"

    def newest_events(self, text: str, content: dict[str, Any]) -> tuple[int, int]:
        state = STATE_OF_PAGE.match(text)
        return max(map(int, LOG_ROW.findall(text)), default=0), int(state[1]) if state else 0
