"""The one receiver: events that were committed ring the doorbell of those who watch their article, once."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError

from articles.live.groups import group_name, ring
from articles.signals import events_recorded

log = logging.getLogger(__name__)

GROUP = "asgi__group__"
"""How channels-redis names a group's own channel. Not promised: tests/articles/test_sockets.py holds it."""


@cache
def redis(address: str) -> Redis:
    return Redis.from_url(address, socket_timeout=5, driver_info=None)


def notify_watchers(sender: Any, *, article_id: int, last: int, **kwargs: Any) -> None:
    """Tell the group. Redis being away costs watchers the wake-up call, not the event: they read it when they look again.

    Published right away: the layer's own ``group_send`` has to be handed to an event loop and waited for, 3 ms of CPU for 0.1.
    """
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has no default"
    try:
        redis(settings.REDIS_ADDRESS).publish(GROUP + group_name(article_id), layer.serialize(ring(article_id, last)))
    except (RedisError, OSError) as error:
        log.warning("article %s: event %s was stored, but watchers could not be rung: %s", article_id, last, error)


def connect() -> None:
    events_recorded.connect(notify_watchers, dispatch_uid="articles.notify_watchers")
