"""DraftStream batches drafts in order and discards those of finished steps."""

from __future__ import annotations

import asyncio

from channels.layers import get_channel_layer

from articles.live.draft_stream import DraftStream
from articles.live.groups import Draft, group_name

ARTICLE = 7_000_001


async def heard(seconds: float, channel: str) -> list[list[Draft]]:
    """The messages that come in within ``seconds``."""
    messages = []
    try:
        async with asyncio.timeout(seconds):
            while True:
                messages.append((await get_channel_layer().receive(channel))["drafts"])
    except TimeoutError:
        return messages


async def listening() -> str:
    layer = get_channel_layer()
    channel: str = await layer.new_channel()
    await layer.group_add(group_name(ARTICLE), channel)
    return channel


async def test_drafts_of_many_sections_are_batched() -> None:
    channel, drafts = await listening(), DraftStream(ARTICLE)
    for turn in range(20):
        for section in range(1, 27):
            drafts.add(f"write:{section}", turn * 2, "ab")
        await asyncio.sleep(0.01)
    messages = await heard(0.4, channel)
    assert len(messages) <= 6
    for section in range(1, 27):
        mine = [draft for message in messages for draft in message if draft["step"] == f"write:{section}"]
        shown = ""
        for draft in mine:
            assert draft["offset"] == len(shown)
            shown += draft["text"]
        assert shown == "ab" * 20


async def test_a_restarted_text_replaces_the_queued_one() -> None:
    channel, drafts = await listening(), DraftStream(ARTICLE)
    drafts.add("write:1", 0, "First try")
    drafts.add("write:1", 0, "Second")
    assert await heard(0.3, channel) == [[{"step": "write:1", "offset": 0, "text": "Second"}]]


async def test_drafts_of_a_finished_step_are_discarded() -> None:
    channel, drafts = await listening(), DraftStream(ARTICLE)
    drafts.add("write:1", 0, "Half a sent")
    drafts.discard("write:1")
    assert await heard(0.3, channel) == []
