"""Reads an article's state and its new events for the sockets; identical reads at the same time are done once.

A hundred sockets on one article are notified at the same moment. One of them queries and renders, the others wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from channels.db import DatabaseSyncToAsync

from articles.models import Article, Event

Result = TypeVar("Result")


class RenderedEvents(NamedTuple):
    """Text frames to send, in order. ``slow`` renders one more, which takes long: the others are sent meanwhile."""

    texts: list[str]
    slow: Callable[[], str] | None = None


EventRenderer = Callable[[Article, Sequence[Event]], RenderedEvents]

ARTICLES = Article.objects.without_large_fields().order_by()  # built once: an event needs few other queries


@dataclass(frozen=True)
class Snapshot:
    """The article's state at event ``seq``, and the text frames for the events up to it; ``slow_text`` is the last, if any.

    ``has_content`` is known only if it has ended: no event needs the text, which is then not read.
    """

    status: str
    message: str
    progress: int
    has_content: bool
    has_ended: bool
    seq: int
    texts: list[str]
    slow_text: SlowText | None = None


def read_snapshot(render: EventRenderer, article_id: int, after: int) -> Snapshot | None:
    """None if the article was deleted. ``after`` is the number of the last event the socket has sent."""
    article = ARTICLES.filter(pk=article_id).first()
    if article is None:
        return None
    events = article.events_after(after)
    rendered = render(article, events) if events else RenderedEvents([])
    return Snapshot(
        status=article.status,
        message=article.message,
        progress=article.progress,
        has_content=article.has_ended and article.has_text,
        has_ended=article.has_ended,
        seq=article.last_seq,
        texts=rendered.texts,
        slow_text=SlowText(rendered.slow) if rendered.slow else None,
    )


# Own threads: on the one thread of Channels, reads would wait behind a request that waits for the database's write lock.
_threads = ThreadPoolExecutor(4, thread_name_prefix="snapshot")
# One: more of them would not be faster, and would delay what the others and the event loop do.
_slow_thread = ThreadPoolExecutor(1, thread_name_prefix="slow-render")
_in_progress: dict[tuple[object, ...], asyncio.Task[Any]] = {}


async def coalesced(work: Callable[..., Awaitable[Result]], *args: Hashable) -> Result:
    """``await work(*args)``, or the result of the same call if one is in progress on this event loop."""
    key = (asyncio.get_running_loop(), work, *args)
    task: asyncio.Task[Result] | None = _in_progress.get(key)
    if task is None:
        task = _in_progress[key] = asyncio.ensure_future(work(*args))
        task.add_done_callback(lambda _: _in_progress.pop(key))
    return await asyncio.shield(task)


def run_in_thread(
    work: Callable[..., Result], executor: ThreadPoolExecutor = _threads
) -> Callable[..., Awaitable[Result]]:
    wrapped: Callable[..., Awaitable[Result]] = DatabaseSyncToAsync(work, thread_sensitive=False, executor=executor)
    return wrapped


class SlowText:
    """A text that is rendered when the first socket asks for it, once for all sockets of the snapshot."""

    def __init__(self, render: Callable[[], str]) -> None:
        self._render = render
        self._rendering: asyncio.Future[str] | None = None

    async def read(self) -> str:
        if self._rendering is None:
            self._rendering = asyncio.ensure_future(run_in_thread(self._render, _slow_thread)())
        return await asyncio.shield(self._rendering)


async def coalesced_snapshot(render: EventRenderer, article_id: int, after: int) -> Snapshot | None:
    """Like ``read_snapshot``. A coalesced read may have started before the event the caller was notified of."""
    return await coalesced(read_snapshot_in_thread, render, article_id, after)


async def read_snapshot_in_thread(render: EventRenderer, article_id: int, after: int) -> Snapshot | None:
    return await run_in_thread(read_snapshot)(render, article_id, after)
