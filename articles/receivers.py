"""The one receiver: a committed event rings the doorbell of those who watch its article."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from articles.doorbell import group_of, ring
from articles.signals import event_recorded

log = logging.getLogger(__name__)


def ring_watchers(sender: Any, *, article_id: int, seq: int, **kwargs: Any) -> None:
    """Tell the group. Redis being away costs watchers the wake-up call, not the event: they read it when they look again."""
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has no default"
    try:
        async_to_sync(layer.group_send)(group_of(article_id), ring(article_id, seq))
    except (RedisError, OSError) as error:
        log.warning("article %s: event %s was stored, but watchers could not be rung: %s", article_id, seq, error)


def connect() -> None:
    event_recorded.connect(ring_watchers, dispatch_uid="articles.ring_watchers")
