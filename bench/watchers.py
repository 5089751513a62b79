"""Clients that follow an article over a WebSocket and record when each event arrives."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

EVENTS_PER_REQUEST = 1000
SEQ_OF_PAGE = re.compile(r'data-seq="(\d+)"')


@dataclass(frozen=True)
class Arrival:
    """When an event arrived, and when the socket it came over was opened; in seconds since the epoch."""

    seq: int
    at: float
    opened: float


class Watcher:
    """The socket for API clients: a JSON message for each event."""

    path = "/ws/articles/{}"

    def __init__(self, api: aiohttp.ClientSession, article_id: int) -> None:
        self.api, self.article_id = api, article_id
        self.seq = 0
        self.arrivals: list[Arrival] = []

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
                    newest = self.newest_event(message.data, content)
                    self.arrivals += [Arrival(seq, now, opened) for seq in range(self.seq + 1, newest + 1)]
                    self.seq = max(self.seq, newest)
            print(f"The socket of article {self.article_id} was closed ({socket.close_code}).", file=sys.stderr)

    def newest_event(self, text: str, content: dict[str, Any]) -> int:
        """The number of the newest event in a message; 0 if it has none."""
        return int(content.get("seq", 0))

    async def latencies(self) -> list[float]:
        """Seconds from the timestamp of each event to its arrival, without events from before the socket was opened."""
        timestamps = await self.timestamps()
        return [
            arrival.at - timestamps[arrival.seq]
            for arrival in self.arrivals
            if timestamps[arrival.seq] > arrival.opened
        ]

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
    """The socket of the article page: HTML fragments for all events since the last message."""

    path = "/ws/articles/{}/page/"

    def newest_event(self, text: str, content: dict[str, Any]) -> int:
        found = SEQ_OF_PAGE.search(text)
        return int(found[1]) if found else 0
