"""A look at an article's log, shared by those who take the same one at the same time.

A hundred sockets on one article are rung at once. One of them reads and renders; the others wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from channels.db import DatabaseSyncToAsync

from articles.models import Article, Event

Result = TypeVar("Result")
Telling = Callable[[Article, Sequence[Event]], list[str]]
"""How events are told: the texts to send, in order."""


@dataclass(frozen=True)
class Look:
    """Where the article stood at event ``seq``, and the texts that tell what led there."""

    status: str
    message: str
    progress: int
    has_content: bool
    has_ended: bool
    seq: int
    texts: list[str]


def take_look(telling: Telling, article_id: int, after: int) -> Look | None:
    """None where the article was deleted."""
    # Whole, with the text: it is empty while there is much to see.
    article = Article.objects.order_by().filter(pk=article_id).first()
    if article is None:
        return None
    events = article.events_after(after)
    return Look(
        status=article.status,
        message=article.message,
        progress=article.progress,
        has_content=bool(article.content),
        has_ended=article.has_ended,
        seq=article.last_seq,
        texts=telling(article, events) if events else [],
    )


# Looks have threads of their own: on Channels' one thread they would wait behind whoever waits to write to the store.
_threads = ThreadPoolExecutor(4, thread_name_prefix="look")
_under_way: dict[tuple[object, ...], asyncio.Task[Any]] = {}


async def shared(work: Callable[..., Awaitable[Result]], *given: Hashable) -> Result:
    """What ``work(*given)`` returns, or what the same work that is under way will return."""
    key = (asyncio.get_running_loop(), work, *given)
    task: asyncio.Task[Result] | None = _under_way.get(key)
    if task is None:
        task = _under_way[key] = asyncio.ensure_future(work(*given))
        task.add_done_callback(lambda _: _under_way.pop(key))
    return await asyncio.shield(task)


def in_thread(work: Callable[..., Result]) -> Callable[..., Awaitable[Result]]:
    wrapped: Callable[..., Awaitable[Result]] = DatabaseSyncToAsync(work, thread_sensitive=False, executor=_threads)
    return wrapped


async def shared_look(telling: Telling, article_id: int, after: int) -> Look | None:
    """``take_look``, or the result of one that is under way. That one may have begun before what you were rung for."""
    return await shared(look_in_thread, telling, article_id, after)


async def look_in_thread(telling: Telling, article_id: int, after: int) -> Look | None:
    return await in_thread(take_look)(telling, article_id, after)
