"""Watching an article: what has happened, then what happens, until it ends.

The group's messages are a doorbell. A consumer holds no state but the number of the newest event it told, and reads what is
newer from the store; so no event is lost or told twice, whichever rings come late, doubled or never. Who reads slowly is
waited for, and therefore told less often; who does not read at all is sent away, and misses nothing when it comes back.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from articles.authentication import HOW_TO_GET_IN, Credentials, Receive, Scope, Send, credentials_of
from articles.live.groups import DraftsWritten, EventNotification, group_name
from articles.live.snapshots import Look, in_thread, shared, shared_look
from articles.models import Article, Event
from articles.pages.fragments import fragments

log = logging.getLogger(__name__)

LOOK_EVERY = 5.0  # seconds; heals a doorbell that was lost with Redis, and finds out who may not watch any more
LOOKS = 4  # Watchers of an article look at one of so many moments, those of a moment together
# Close codes: RFC 6455 section 7.4, and HTTP's own behind a 4.
DONE, TRY_LATER, BAD_REQUEST, NOT_SIGNED_IN, NOT_FOUND = 1000, 1013, 4400, 4401, 4404
NO_SUCH_ARTICLE = "There is no article {} that you may see."

_leaving: set[asyncio.Task[None]] = set()


def may_watch(user: User | AnonymousUser, article_id: int) -> bool:
    return Article.objects.visible_to(user).filter(pk=article_id).exists()


def is_hidden(user: User | AnonymousUser, article_id: int) -> bool:
    """Whether the article is there, but not for ``user``."""
    return not may_watch(user, article_id) and Article.objects.filter(pk=article_id).exists()


async def who_may_not_watch(credentials: Credentials, article_id: int) -> tuple[int, str] | None:
    """The code and the words to send those away who may not watch any more. A deleted article tells so itself."""
    user = await shared(Credentials.user, credentials)
    if not user.is_authenticated:
        return NOT_SIGNED_IN, HOW_TO_GET_IN
    hidden = await in_thread(is_hidden)(user, article_id)
    return (NOT_FOUND, NO_SUCH_ARTICLE.format(article_id)) if hidden else None


def with_looks(receive: Receive, every: float) -> Receive:
    """``receive``, but it also gives ``look.again`` each time ``every`` seconds have passed."""
    now = asyncio.get_running_loop().time
    shift = random.randrange(LOOKS) / LOOKS  # noqa: S311  (spreads load)
    due = every * (math.floor(now() / every - shift) + 1 + shift)

    async def receive_or_look() -> MutableMapping[str, Any]:
        nonlocal due
        if due <= now():  # the last look took that long: what came meanwhile, such as the leave, has its turn
            due += every * (math.floor((now() - due) / every) + 1)
        try:
            return await asyncio.wait_for(receive(), due - now())
        except TimeoutError:
            due += every
            return {"type": "look.again"}

    return receive_or_look


class Watcher(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """What both sockets do: authorise, join, tell what is newer than ``?after=``, go on until the article ends."""

    article_id: int
    watching = False  # set while there is something to tell
    seq = 0
    progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whoever is cancelled while it leaves, leaves: Daphne cancels a slow one again each second."""
        try:
            await super().__call__(scope, with_looks(receive, LOOK_EVERY), send)
        except TimeoutError:  # of a send: see contentstudio.runtime.daphne
            log.info("a socket is closed, its client does not read what it is told")
            await send({"type": "websocket.close", "code": TRY_LATER})
        except (RedisError, OSError) as error:
            log.warning("a socket cannot be served, Redis is away: %s", error)
            await send({"type": "websocket.close", "code": TRY_LATER})
        finally:
            leaving = asyncio.create_task(self.leave())
            _leaving.add(leaving)  # the loop itself would forget it
            leaving.add_done_callback(_leaving.discard)
            await asyncio.shield(leaving)

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels' own goes to a thread before each message, to close old connections. Ours are closed where they are used.
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        """A browser is not told why a handshake is refused, so it is accepted, told, and closed."""
        await self.accept()
        self.article_id = int(self.scope["url_route"]["kwargs"]["article_id"])
        bind_contextvars(article_id=self.article_id)
        user, after = self.scope["user"], parse_qs(self.scope["query_string"].decode("latin-1")).get("after", ["0"])[-1]
        if not user.is_authenticated:
            await self.refuse(NOT_SIGNED_IN, HOW_TO_GET_IN)
        elif not (after.isascii() and after.isdigit() and len(after) <= 18):
            await self.refuse(BAD_REQUEST, "“after” is the number of the last event you have seen, such as ?after=41.")
        elif not await database_sync_to_async(may_watch)(user, self.article_id):
            await self.refuse(NOT_FOUND, NO_SUCH_ARTICLE.format(self.article_id))
        else:
            self.seq = int(after)
            await self.begin()

    async def begin(self) -> None:
        """Join first, then read: what happens between the two rings, and is read once."""
        await self.channel_layer.group_add(group_name(self.article_id), self.channel_name)
        self.watching = True
        await self.catch_up(greet=True)

    async def leave(self) -> None:
        """Give back what the layer holds for this socket, however it ended.

        Channels frees the channel only where nothing was on its way to it; a ring in the moment of leaving kept it for ever.
        """
        layer, channel = self.channel_layer, getattr(self, "channel_name", None)
        try:
            if hasattr(self, "article_id"):
                await layer.group_discard(group_name(self.article_id), channel)
            if layer.channels.pop(channel, None) is not None:
                await layer._get_shard(channel).unsubscribe(channel)
        except (RedisError, OSError) as error:
            log.debug("Redis, which is away, could not be told that a socket left: %s", error)

    async def event_recorded(self, ring: EventNotification) -> None:
        if self.watching and ring["seq"] > self.seq:
            await self.catch_up()
        if self.watching and ring["seq"] > self.seq:  # the look was a shared one that had begun before this event
            await self.catch_up()

    async def look_again(self, message: dict[str, Any]) -> None:
        if not self.watching:
            return
        refusal = await shared(who_may_not_watch, credentials_of(self.scope), self.article_id)
        if refusal:
            self.watching = False
            await self.refuse(*refusal)
        else:
            await self.catch_up()

    async def drafts_written(self, message: DraftsWritten) -> None:
        if self.watching:
            for draft in message["drafts"]:
                await self.say("draft", **draft)

    async def catch_up(self, *, greet: bool = False) -> None:
        """Tell what is newer than the last told, and the end where it has come."""
        look = await shared_look(self.tell, self.article_id, self.seq)
        if look is None:
            await self.end("deleted", has_content=False, message="The article was deleted.")
            return
        if greet:
            await self.greet(look)
        for text in look.texts:
            await self.send(text_data=text)
        self.seq, self.progress = look.seq, look.progress
        if look.has_ended:
            await self.end(look.status, has_content=look.has_content, message=look.message)

    @staticmethod
    def tell(article: Article, events: Sequence[Event]) -> list[str]:
        """The texts that tell of ``events``; called in a thread."""
        raise NotImplementedError

    async def greet(self, look: Look) -> None:
        """Told once, before the log."""

    async def end(self, status: str, *, has_content: bool, message: str) -> None:
        self.watching = False
        await self.say("final", status=status, has_content=has_content, message=message)
        await self.close(DONE)

    async def refuse(self, code: int, detail: str) -> None:
        log.info("a socket is refused (%s): %s", code, detail)
        await self.say("error", detail=detail)
        await self.close(code)

    async def say(self, type: str, **content: object) -> None:
        """Send what is not from the log, and therefore has no ``seq``."""
        timestamp = timezone.now().isoformat().replace("+00:00", "Z")
        common = {"type": type, "article_id": self.article_id, "timestamp": timestamp, "progress": self.progress}
        await self.send(text_data=json.dumps({**common, **content}))


class ArticleConsumer(Watcher):
    """The API's socket: JSON."""

    @staticmethod
    def tell(article: Article, events: Sequence[Event]) -> list[str]:
        return [json.dumps(event.as_message()) for event in events]

    async def greet(self, look: Look) -> None:
        self.progress = look.progress
        await self.say("status", status=look.status, message=look.message)


class ArticlePageConsumer(Watcher):
    """The page's socket: HTML to be swapped in; what its script takes is JSON: drafts, signs of life, the end."""

    @staticmethod
    def tell(article: Article, events: Sequence[Event]) -> list[str]:
        return [fragments(article, events)]

    async def drafts_written(self, message: DraftsWritten) -> None:
        """All in one: thirty sections that are written side by side would be three hundred messages a second."""
        if self.watching:
            await self.say("drafts", drafts=message["drafts"])

    async def look_again(self, message: dict[str, Any]) -> None:
        """A script cannot see the server's pings: it is given something to hear."""
        await super().look_again(message)
        if self.watching:
            await self.say("alive")


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels has no types
    """Every other address."""

    channel_layer_alias = None

    async def connect(self) -> None:
        await self.accept()
        detail = "There is no socket at this address. An article's is at /ws/articles/<id>."
        await self.send(text_data=json.dumps({"type": "error", "detail": detail}))
        await self.close(NOT_FOUND)
