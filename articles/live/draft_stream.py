"""Sends previews of the text being written to the article's group, batched over all its sections."""

from __future__ import annotations

import asyncio
import logging

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from articles.live.groups import Draft, drafts_message, group_name

log = logging.getLogger(__name__)

SEND_INTERVAL = 0.2
"""Seconds between two messages of one article, however many sections are being written: each message costs a millisecond."""

SECTIONS_AT_FULL_RATE = 12
"""With more sections the interval grows in proportion: every section is a frame for every watcher."""


class DraftStream:
    """Previews of one article's text. They are never stored; a preview that cannot be sent is dropped."""

    def __init__(self, article_id: int) -> None:
        self.article_id = article_id
        self._pending: dict[str, Draft] = {}
        self._sending: asyncio.Task[None] | None = None

    def add(self, step: str, offset: int, text: str) -> None:
        """Queue ``text`` at character ``offset`` of ``step``. Text that continues a queued piece is appended to it."""
        queued = self._pending.get(step)
        if queued and queued["offset"] + len(queued["text"]) == offset:
            queued["text"] += text
        else:
            self._pending[step] = {"step": step, "offset": offset, "text": text}
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_pending())

    def discard(self, step: str) -> None:
        """Forget what is queued for ``step``, for example because its text is stored now."""
        self._pending.pop(step, None)

    async def _send_pending(self) -> None:
        while self._pending:
            drafts, self._pending = list(self._pending.values()), {}
            await self._send(drafts)
            await asyncio.sleep(SEND_INTERVAL * max(1.0, len(drafts) / SECTIONS_AT_FULL_RATE))

    async def _send(self, drafts: list[Draft]) -> None:
        layer = get_channel_layer()
        assert layer is not None, "CHANNEL_LAYERS has no default"
        try:
            await layer.group_send(group_name(self.article_id), drafts_message(self.article_id, drafts))
        except (RedisError, OSError) as error:
            # Debug only: the event receiver warns of the same outage, ten times less often.
            log.debug("article %s: drafts could not be sent: %s", self.article_id, error)
