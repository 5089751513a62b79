"""Text on its way to its watchers: what many sections say at the same time goes out together, five times a second at most."""

from __future__ import annotations

import asyncio
import logging

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from articles.live.groups import Draft, drafts_written, group_name

log = logging.getLogger(__name__)

EVERY = 0.2
"""Seconds between two messages of one article, whether one section is being written or ten: each costs a millisecond."""

FEW = 12
"""Where more sections are written they are told less often: each is a frame for each watcher, and nobody reads thirty at once."""


class Drafts:
    """Previews of an article's text, never stored: what cannot be shown is dropped."""

    def __init__(self, article_id: int) -> None:
        self.article_id = article_id
        self._waiting: dict[str, Draft] = {}
        self._sending: asyncio.Task[None] | None = None

    def show(self, step: str, offset: int, text: str) -> None:
        """``text`` at ``offset`` characters of what ``step`` writes; earlier text of it that still waits is joined to it."""
        before = self._waiting.get(step)
        if before and before["offset"] + len(before["text"]) == offset:
            before["text"] += text
        else:
            self._waiting[step] = {"step": step, "offset": offset, "text": text}
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_soon())

    def drop(self, step: str) -> None:
        """Forget what still waits of ``step``: it is done, and its text is stored."""
        self._waiting.pop(step, None)

    async def _send_soon(self) -> None:
        while self._waiting:
            drafts, self._waiting = list(self._waiting.values()), {}
            await self._send(drafts)
            await asyncio.sleep(EVERY * max(1.0, len(drafts) / FEW))

    async def _send(self, drafts: list[Draft]) -> None:
        layer = get_channel_layer()
        assert layer is not None, "CHANNEL_LAYERS has no default"
        try:
            await layer.group_send(group_name(self.article_id), drafts_written(self.article_id, drafts))
        except (RedisError, OSError) as error:
            # The receiver warns of the same outage with each event, ten times less often.
            log.debug("article %s: drafts could not be shown: %s", self.article_id, error)
