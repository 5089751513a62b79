"""What the studio does to the channel layer beyond its public methods.

The names are private to channels-redis; tests/articles/test_redis_layer.py checks them against the installed version.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from channels.layers import get_channel_layer
from django.conf import settings
from redis import Redis

GROUP_PREFIX = "asgi__group__"  # of the Redis channel of a group
CHANNEL_PREFIX = "asgispecific."  # of the Redis channel of a consumer


@cache
def redis_client(address: str) -> Redis:
    return Redis.from_url(address, socket_timeout=5, driver_info=None)


def publish_to_group(group: str, message: Mapping[str, Any]) -> None:
    """Like the layer's ``group_send``, from sync code: handing that to an event loop takes 3 ms of CPU instead of 0.1."""
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has no default"
    redis_client(settings.REDIS_ADDRESS).publish(GROUP_PREFIX + group, layer.serialize(message))


def count_channels() -> int:
    """How many consumers are connected, in all web processes."""
    return len(redis_client(settings.REDIS_ADDRESS).pubsub_channels(f"{CHANNEL_PREFIX}*"))


async def release_channel(layer: Any, channel: str) -> None:
    """Unsubscribe a consumer's channel, unless the layer has done so.

    The layer does it when ``receive`` is cancelled, but not if a message arrives at that moment: the channel would be kept
    forever.
    """
    if layer.channels.pop(channel, None) is not None:
        await layer._get_shard(channel).unsubscribe(channel)
