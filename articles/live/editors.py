"""The socket of the editor: who else edits the text and in which section, and that somebody has saved it.

Nothing is stored: each editor says where it is when it arrives, moves and is asked, and what the others say is passed on.
"""

from __future__ import annotations

import json
import time
from typing import TypedDict
from uuid import uuid4

from articles.live.consumers import ArticleEventsConsumer
from articles.live.groups import EventNotification, editors_group_name
from articles.live.snapshots import run_in_thread
from articles.models import Revision

MAX_MESSAGE, MAX_SECTION = 2000, 200  # characters
MIN_INTERVAL = 0.1  # seconds between messages of one editor; more are dropped, and the next keep-alive corrects them


class EditorMoved(TypedDict):
    """``editor`` identifies the tab; ``asks`` the others to say where they are."""

    type: str
    editor: str
    name: str
    section: str
    asks: bool


def newest_revision(article_id: int) -> tuple[int, str]:
    """Number and author of the newest revision; 0 if there is none."""
    revision = Revision.objects.filter(article=article_id).select_related("saved_by").first()
    return (revision.number, revision.author) if revision else (0, "")


class EditorsConsumer(ArticleEventsConsumer):
    """JSON both ways. An editor sends ``{"section": "Choosing a site"}``, about every 20 seconds if it does not move."""

    revision = 0
    section: str | None = None
    heard_at = 0.0

    async def follow(self) -> None:
        self.editor, self.name = uuid4().hex, self.scope["user"].get_username()
        await self.channel_layer.group_add(editors_group_name(self.article_id), self.channel_name)
        await super().follow()

    async def catch_up(self, *, first: bool = False) -> None:
        """Send the newest revision, at first too: the text may have been opened long ago, or the connection was lost.

        Unlike a page's socket, it stays open whatever the article's status is.
        """
        number, author = await run_in_thread(newest_revision)(self.article_id)
        if number > self.revision:
            await self.send_message("saved", revision=number, author=author)
        self.revision = number

    async def event_recorded(self, notification: EventNotification) -> None:
        if self.is_following:
            await self.catch_up()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        now = time.monotonic()
        if not self.is_following or not text_data or len(text_data) > MAX_MESSAGE or now - self.heard_at < MIN_INTERVAL:
            return
        try:
            section = json.loads(text_data)["section"]
        except (ValueError, TypeError, KeyError):
            return
        if isinstance(section, str):
            asks, self.heard_at, self.section = self.section is None, now, section[:MAX_SECTION]
            await self.tell_others(asks=asks)

    async def tell_others(self, *, asks: bool = False, has_left: bool = False) -> None:
        message = EditorMoved(
            type="editor.left" if has_left else "editor.moved",
            editor=self.editor,
            name=self.name,
            section=self.section or "",
            asks=asks,
        )
        await self.channel_layer.group_send(editors_group_name(self.article_id), message)

    async def editor_moved(self, message: EditorMoved) -> None:
        if message["editor"] == self.editor or not self.is_following:
            return
        await self.send_message("editor", editor=message["editor"], name=message["name"], section=message["section"])
        if message["asks"] and self.section is not None:
            await self.tell_others()

    async def editor_left(self, message: EditorMoved) -> None:
        if self.is_following:
            await self.send_message("left", editor=message["editor"])

    async def disconnect(self, code: int) -> None:
        if self.is_following and self.section is not None:
            await self.tell_others(has_left=True)

    async def clean_up(self) -> None:
        if hasattr(self, "article_id") and hasattr(self, "channel_name"):
            await self.leave(editors_group_name(self.article_id))
        await super().clean_up()
