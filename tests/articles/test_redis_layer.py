"""The private names of channels-redis used by articles/live/redis_layer.py behave as it expects."""

from __future__ import annotations

import asyncio
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer

from articles.live.groups import event_notification
from articles.live.redis_layer import count_channels, publish_to_group, release_channel

GROUP = "article.7000002"


async def test_what_is_published_directly_arrives_as_if_sent_by_the_layer(redis: Any) -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(GROUP, channel)
    await layer.group_send(GROUP, event_notification(7, 1))
    await sync_to_async(publish_to_group)(GROUP, event_notification(7, 2))
    async with asyncio.timeout(3):
        assert await layer.receive(channel) == event_notification(7, 1)
        assert await layer.receive(channel) == event_notification(7, 2)


async def test_a_released_channel_is_unsubscribed(redis: Any) -> None:
    layer, before = get_channel_layer(), await sync_to_async(count_channels)()
    channel = await layer.new_channel()
    assert await sync_to_async(count_channels)() == before + 1
    subscribed = sync_to_async(lambda: channel.encode() in redis.pubsub_channels("asgi*"))
    assert await subscribed()
    await release_channel(layer, channel)
    assert not await subscribed()
    assert channel not in layer.channels
    await release_channel(layer, channel)  # once more: the layer may have done it


async def test_the_layer_keeps_a_channel_on_which_a_message_came_as_receive_was_cancelled(redis: Any) -> None:
    """The reason for ``release_channel``. If this fails, the layer may release it itself now."""
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.send(channel, event_notification(7, 1))
    receiving = asyncio.create_task(layer.receive(channel))
    async with asyncio.timeout(3):
        while not receiving.done():
            await asyncio.sleep(0.01)
    receiving.cancel()
    assert channel in layer.channels
    await release_channel(layer, channel)
