"""WebSocket consumers: replay an article's events after ``?after=``, then follow them live until the article ends.

A consumer's only state is the number of the newest event it has sent. A notification makes it read what is newer from the
database, so a notification that is late, duplicated or lost neither loses an event nor sends it twice. A slow client is
waited for and receives fewer, larger updates; one that stops reading is disconnected and can resume with ``?after=``.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
from collections.abc import MutableMapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from articles.authentication import HOW_TO_GET_IN
from articles.live.authentication import Credentials, Receive, Scope, Send, credentials_of
from articles.live.groups import DraftsMessage, EventNotification, group_name
from articles.live.redis_layer import release_channel
from articles.live.snapshots import RenderedEvents, Snapshot, coalesced, coalesced_snapshot, run_in_thread
from articles.models import Article, Event
from articles.pages.fragments import fragments, outcome_fragments
from articles.quotas.sockets import close_socket, keep_sockets, open_socket

log = logging.getLogger(__name__)

POLL_INTERVAL = 5.0  # seconds; finds events whose notification was lost with Redis, and users who lost access
POLL_PHASES = 4  # the watchers of an article poll at one of so many moments per interval, those of a moment together
# Close codes: RFC 6455 section 7.4, and HTTP statuses after a 4.
DONE, TRY_LATER, BAD_REQUEST, NOT_SIGNED_IN, NOT_FOUND, TOO_MANY = 1000, 1013, 4400, 4401, 4404, 4429
ARTICLE_NOT_FOUND = "There is no article {} that you may see."
TOO_MANY_SOCKETS = "You have {} live connections open. Close some, then try again."

_cleanups: set[asyncio.Task[None]] = set()


def can_view(user: User | AnonymousUser, article_id: int) -> bool:
    return Article.objects.visible_to(user).filter(pk=article_id).exists()


def is_hidden(user: User | AnonymousUser, article_id: int) -> bool:
    """Whether the article exists, but not for ``user``."""
    return not can_view(user, article_id) and Article.objects.filter(pk=article_id).exists()


async def access_error(credentials: Credentials, article_id: int) -> tuple[int, str] | None:
    """Close code and message if these credentials no longer give access. A deleted article is not an error here."""
    user = await coalesced(Credentials.user, credentials)
    if not user.is_authenticated:
        return NOT_SIGNED_IN, HOW_TO_GET_IN
    hidden = await run_in_thread(is_hidden)(user, article_id)
    return (NOT_FOUND, ARTICLE_NOT_FOUND.format(article_id)) if hidden else None


async def keep_sockets_in_thread(user_id: int) -> None:
    await run_in_thread(keep_sockets)(user_id)


def with_polling(receive: Receive, interval: float) -> Receive:
    """``receive`` that also returns a ``poll`` message every ``interval`` seconds."""
    now = asyncio.get_running_loop().time
    phase = random.randrange(POLL_PHASES) / POLL_PHASES  # noqa: S311  (spreads load)
    due = interval * (math.floor(now() / interval - phase) + 1 + phase)

    async def receive_or_poll() -> MutableMapping[str, Any]:
        nonlocal due
        if due <= now():  # the last poll took that long: messages that came meanwhile, such as a disconnect, come first
            due += interval * (math.floor((now() - due) / interval) + 1)
        try:
            return await asyncio.wait_for(receive(), due - now())
        except TimeoutError:
            due += interval
            return {"type": "poll"}

    return receive_or_poll


class ArticleEventsConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """What both sockets share: authorise, join the group, send what is newer than ``?after=``, follow until the end."""

    article_id: int
    counted_as: tuple[int, str] | None = None
    is_accepted = False
    is_following = False
    seq = 0
    progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the consumer. The clean-up is shielded: Daphne cancels a slow application again every second."""
        try:
            await super().__call__(scope, with_polling(receive, POLL_INTERVAL), send)
        except TimeoutError:  # of a send: see contentstudio.runtime.write_gate
            log.info("socket closed: the client does not read")
            await self.close_for_now(send)
        except (RedisError, OSError) as error:
            log.warning("socket closed: Redis is unavailable: %s", error)
            await self.close_for_now(send)
        finally:
            cleanup = asyncio.create_task(self.clean_up())
            _cleanups.add(cleanup)  # the event loop holds only a weak reference
            cleanup.add_done_callback(_cleanups.discard)
            await asyncio.shield(cleanup)

    async def close_for_now(self, send: Send) -> None:
        if not self.is_accepted:  # an error before ``connect``; closed now, it would look like a refusal
            await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": TRY_LATER})

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels' own closes old database connections in a thread before each message; run_in_thread does that here.
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        """Accept first: a browser does not show its page why a handshake was refused, but does show a close code."""
        await self.accept()
        self.is_accepted = True
        self.article_id = int(self.scope["url_route"]["kwargs"]["article_id"])
        bind_contextvars(article_id=self.article_id)
        user, after = self.scope["user"], parse_qs(self.scope["query_string"].decode("latin-1")).get("after", ["0"])[-1]
        if not user.is_authenticated:
            await self.refuse(NOT_SIGNED_IN, HOW_TO_GET_IN)
        elif not (after.isascii() and after.isdigit() and len(after) <= 18):
            await self.refuse(BAD_REQUEST, "“after” is the number of the last event you have seen, such as ?after=41.")
        elif not await database_sync_to_async(can_view)(user, self.article_id):
            await self.refuse(NOT_FOUND, ARTICLE_NOT_FOUND.format(self.article_id))
        elif limit := await self.count_socket(user.pk):
            await self.refuse(TOO_MANY, TOO_MANY_SOCKETS.format(limit))
        else:
            self.seq = int(after)
            await self.follow()

    async def count_socket(self, user_id: int) -> int:
        """Count this socket as one of the user's. Returns the limit if it is one too many, else 0."""
        self.counted_as = (user_id, uuid4().hex)
        limit = await run_in_thread(open_socket)(*self.counted_as)
        if limit:
            self.counted_as = None
        return limit

    async def follow(self) -> None:
        """Join the group before the first read, so that an event in between is notified and no event is missed."""
        await self.channel_layer.group_add(group_name(self.article_id), self.channel_name)
        self.is_following = True
        await self.catch_up(first=True)

    async def clean_up(self) -> None:
        """Release what the channel layer holds for this socket, however it ended."""
        if self.counted_as:
            await run_in_thread(close_socket)(*self.counted_as)
        layer, channel = self.channel_layer, getattr(self, "channel_name", "")
        if hasattr(self, "article_id"):
            await self.leave(group_name(self.article_id))
        try:
            await release_channel(layer, channel)
        except (RedisError, OSError) as error:
            log.debug("a closed socket could not be unsubscribed, Redis is unavailable: %s", error)

    async def leave(self, group: str) -> None:
        try:
            await self.channel_layer.group_discard(group, getattr(self, "channel_name", ""))
        except (RedisError, OSError) as error:
            log.debug("a closed socket could not leave its group, Redis is unavailable: %s", error)

    async def event_recorded(self, notification: EventNotification) -> None:
        for _ in range(2):  # the first read may be a coalesced one that started before this event
            if self.is_following and notification["seq"] > self.seq:
                await self.catch_up()

    async def poll(self, message: dict[str, Any]) -> None:
        if not self.is_following:
            return
        if self.counted_as:
            await coalesced(keep_sockets_in_thread, self.counted_as[0])
        error = await coalesced(access_error, credentials_of(self.scope), self.article_id)
        if error:
            self.is_following = False
            await self.refuse(*error)
        else:
            await self.catch_up()

    async def drafts_written(self, message: DraftsMessage) -> None:
        if self.is_following:
            for draft in message["drafts"]:
                await self.send_message("draft", **draft)

    async def catch_up(self, *, first: bool = False) -> None:
        """Send the events after ``seq``, and the final message if the article has ended."""
        snapshot = await coalesced_snapshot(self.render_events, self.article_id, self.seq)
        if snapshot is None:
            await self.finish("deleted", has_content=False, message="The article was deleted.")
            return
        if first:
            await self.send_status(snapshot)
        for text in snapshot.texts:
            await self.send(text_data=text)
        if snapshot.slow_text:
            await self.send(text_data=await snapshot.slow_text.read())
        self.seq, self.progress = snapshot.seq, snapshot.progress
        if snapshot.has_ended:
            await self.finish(snapshot.status, has_content=snapshot.has_content, message=snapshot.message)

    @staticmethod
    def render_events(article: Article, events: Sequence[Event]) -> RenderedEvents:
        """The text frames for ``events``; called in a thread."""
        raise NotImplementedError

    async def send_status(self, snapshot: Snapshot) -> None:
        """Sent once, before the first event."""

    async def finish(self, status: str, *, has_content: bool, message: str) -> None:
        self.is_following = False
        await self.send_message("final", status=status, has_content=has_content, message=message)
        await self.close(DONE)

    async def refuse(self, code: int, detail: str) -> None:
        log.info("socket refused (%s): %s", code, detail)
        await self.send_message("error", detail=detail)
        await self.close(code)

    async def send_message(self, type: str, **content: object) -> None:
        """Send a message that is not an event, and so has no ``seq``."""
        timestamp = timezone.now().isoformat().replace("+00:00", "Z")
        common = {"type": type, "article_id": self.article_id, "timestamp": timestamp, "progress": self.progress}
        await self.send(text_data=json.dumps({**common, **content}))


class ArticleConsumer(ArticleEventsConsumer):
    """The API's socket: JSON."""

    @staticmethod
    def render_events(article: Article, events: Sequence[Event]) -> RenderedEvents:
        return RenderedEvents([json.dumps(event.as_message()) for event in events])

    async def send_status(self, snapshot: Snapshot) -> None:
        self.progress = snapshot.progress
        await self.send_message("status", status=snapshot.status, message=snapshot.message)


class ArticlePageConsumer(ArticleEventsConsumer):
    """The page's socket: HTML to swap in; drafts, keep-alives and the end are JSON for the page's script."""

    @staticmethod
    def render_events(article: Article, events: Sequence[Event]) -> RenderedEvents:
        """The end of a run replaces the whole page: how it ended is sent first, without waiting for the panels."""
        if article.is_active:
            return RenderedEvents([fragments(article, events)])
        return RenderedEvents([outcome_fragments(article, events)], slow=partial(fragments, article, events))

    async def drafts_written(self, message: DraftsMessage) -> None:
        """All drafts in one message: thirty sections written in parallel would otherwise be 300 messages a second."""
        if self.is_following:
            await self.send_message("drafts", drafts=message["drafts"])

    async def poll(self, message: dict[str, Any]) -> None:
        """Also send a keep-alive: scripts cannot see the server's pings."""
        await super().poll(message)
        if self.is_following:
            await self.send_message("alive")


class NotFoundConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Every other address."""

    channel_layer_alias = None

    async def connect(self) -> None:
        await self.accept()
        detail = "There is no socket at this address. An article's is at /ws/articles/<id>."
        await self.send(text_data=json.dumps({"type": "error", "detail": detail}))
        await self.close(NOT_FOUND)
