"""A look at an article's log, shared by those who take the same one at the same time.

A hundred sockets on one article are rung at once. One of them reads and renders; the others wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from channels.db import database_sync_to_async

from articles.models import Article, Event

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
    """None where the article was deleted. ``after`` may be from a log that has since been lost, and is then too large."""
    article = Article.objects.filter(
        pk=article_id
    ).first()  # whole: its bodies are empty while there is much to look for
    if article is None:
        return None
    # Up to where the article stands and no further, so that its state and the events fit together. Later ones ring again.
    events = list(article.events.after(after).filter(seq__lte=article.last_seq)) if after < article.last_seq else []
    return Look(
        status=article.status,
        message=article.message,
        progress=article.progress,
        has_content=bool(article.content),
        has_ended=article.has_ended,
        seq=article.last_seq,
        texts=telling(article, events) if events else [],
    )


_under_way: dict[tuple[object, ...], asyncio.Task[Look | None]] = {}


async def shared_look(telling: Telling, article_id: int, after: int) -> Look | None:
    """``take_look``, or the result of one that is under way. That one may have begun before what you were rung for."""
    key = (asyncio.get_running_loop(), telling, article_id, after)
    look = _under_way.get(key)
    if look is None:
        look = asyncio.create_task(database_sync_to_async(take_look)(telling, article_id, after))
        _under_way[key] = look
        look.add_done_callback(lambda _: _under_way.pop(key))
    return await asyncio.shield(look)
