"""Notifies an article's watchers of committed events: one channel layer message per commit."""

from __future__ import annotations

import logging
from typing import Any

from redis.exceptions import RedisError

from articles.live.groups import event_notification, group_name
from articles.live.redis_layer import publish_to_group
from articles.signals import events_recorded

log = logging.getLogger(__name__)

RECEIVER = "articles.notify_watchers"


def notify_watchers(sender: Any, *, article_id: int, last: int, **kwargs: Any) -> None:
    """Publish the number of the newest event. Without Redis the notification is lost, and watchers find the event by polling."""
    try:
        publish_to_group(group_name(article_id), event_notification(article_id, last))
    except (RedisError, OSError) as error:
        log.warning("article %s: event %s is stored, but its notification failed: %s", article_id, last, error)


def connect() -> None:
    events_recorded.connect(notify_watchers, dispatch_uid=RECEIVER)


def disconnect() -> None:
    """Notify nobody from this process: without Redis nobody can watch."""
    events_recorded.disconnect(dispatch_uid=RECEIVER)
