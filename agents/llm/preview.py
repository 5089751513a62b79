"""Shows an answer while it is generated."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

PREVIEW_SECONDS = 0.15
FULL_PREVIEW_SECONDS = 3.0

PreviewSink = Callable[[int, str], Awaitable[None]]
"""``await sink(offset, text)``: the answer from ``offset`` (in characters) on is ``text``."""


class DraftPreview:
    """Sends a growing text to ``sink`` at most six times a second, and every few seconds whole, for those who joined late."""

    def __init__(self, sink: PreviewSink | None) -> None:
        self._sink, self._sent = sink, ""
        self._last = self._last_full = time.monotonic()

    @property
    def is_due(self) -> bool:
        return self._sink is not None and time.monotonic() - self._last >= PREVIEW_SECONDS

    async def show(self, text: str) -> None:
        """Send what ``text`` adds to what was sent, or all of it if it starts differently, as after a retry."""
        if self._sink is None:
            return
        self._last = time.monotonic()
        if self._last - self._last_full >= FULL_PREVIEW_SECONDS or not text.startswith(self._sent):
            self._sent, self._last_full = "", self._last
        if len(text) > len(self._sent):
            await self._sink(len(self._sent), text[len(self._sent) :])
            self._sent = text
