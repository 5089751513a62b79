"""What a model is writing, shown while it writes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar

DRAFT_SECONDS = 0.15
WHOLE_DRAFT_SECONDS = 3.0

Draft = Callable[[int, str], Awaitable[None]]

draft_sink: ContextVar[Draft | None] = ContextVar("draft_sink", default=None)
"""Where the text of the call being made is shown as it comes: ``await sink(offset, text)``, offset in characters."""


class DraftPreview:
    """A text that grows, shown at most six times a second; now and then whole, for those who came late."""

    def __init__(self, sink: Draft | None) -> None:
        self._sink, self._shown = sink, ""
        self._last = self._last_whole = time.monotonic()

    @property
    def due(self) -> bool:
        return self._sink is not None and time.monotonic() - self._last >= DRAFT_SECONDS

    async def show(self, text: str) -> None:
        """Tell what ``text`` adds to what was shown; all of it, where it began otherwise."""
        if self._sink is None:
            return
        self._last = time.monotonic()
        if self._last - self._last_whole >= WHOLE_DRAFT_SECONDS or not text.startswith(self._shown):
            self._shown, self._last_whole = "", self._last
        if len(text) > len(self._shown):
            await self._sink(len(self._shown), text[len(self._shown) :])
            self._shown = text
