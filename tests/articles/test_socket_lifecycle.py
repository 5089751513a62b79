"""Sockets that reconnect, stall or disconnect, and the channel layer after them."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import User

from articles.live import consumers
from articles.live.groups import drafts_message, group_name
from articles.models import Article
from articles.runs.journal import complete_run
from contentstudio.asgi import application
from tests.articles.clients import Message, done, open_socket
from tests.factories import do_step, make_manuscript, make_processing_article

pytestmark = pytest.mark.django_db(transaction=True)


def seqs(messages: list[Message]) -> list[int]:
    return [message["seq"] for message in messages if "seq" in message]


def layer_state() -> tuple[set[str], set[str]]:
    """The channels and groups that the server's side of the layer knows."""
    layers = get_channel_layer()._layers.values()
    channels = {channel for layer in layers for channel in layer.channels}
    return channels, {group for layer in layers for group in layer.groups}


def nothing_leaked(before: tuple[set[str], set[str]]) -> bool:
    """Whether nothing is held that was not held ``before``: what an earlier test's sockets held may have gone meanwhile."""
    return all(now <= then for now, then in zip(layer_state(), before, strict=True))


async def within(seconds: float, condition: Callable[[], object]) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def send_large_previews(article: Article, times: int) -> None:
    """Send previews of 20 kB to the article's watchers."""
    for _ in range(times):
        drafts = drafts_message(article.pk, [{"step": "write:1", "offset": 0, "text": "roof " * 4000}])
        await get_channel_layer().group_send(group_name(article.pk), drafts)


@asynccontextmanager
async def unread_socket(site: str, path: str, key: str) -> AsyncIterator[socket.socket]:
    """A connection that has shaken hands and then neither reads nor answers a ping."""
    host, _, port = site.removeprefix("http://").partition(":")
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (host, int(port)))
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host}:{port}",
            f"Authorization: Bearer {key}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        ]
        await loop.sock_sendall(deaf, "\r\n".join([*lines, "", ""]).encode())
        yield deaf


async def read_to_the_end(deaf: socket.socket) -> bytes:
    """What had been sent before the server closed."""
    got, loop = b"", asyncio.get_running_loop()
    try:
        while part := await loop.sock_recv(deaf, 65536):
            got += part
    except ConnectionResetError:
        pass  # dropped, with what was still to be sent
    return got


async def test_slow_polls_do_not_hide_a_disconnect() -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    receive = consumers.with_polling(heard.get, interval=0.05)
    assert await receive() == {"type": "poll"}
    await asyncio.sleep(0.2)  # the look
    heard.put_nowait({"type": "websocket.disconnect"})
    assert await receive() == {"type": "websocket.disconnect"}


# Unresponsive and slow clients


async def test_a_client_that_answers_no_ping_is_dropped(site: str, owner: User, key: str) -> None:
    article, _ = await done(make_processing_article, owner)
    before = layer_state()
    async with unread_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as deaf:
        await within(5, lambda: len(layer_state()[0] - before[0]) == 1)
        async with asyncio.timeout(15):
            await read_to_the_end(deaf)
    await within(5, lambda: nothing_leaked(before))


async def test_a_client_that_does_not_read_is_closed_and_can_resume(
    site: str, owner: User, key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "articles.live.consumers")
    monkeypatch.setattr("contentstudio.runtime.write_gate.WRITE_TIMEOUT", 1.0)
    article, held = await done(make_processing_article, owner)
    before = layer_state()
    async with unread_socket(site, f"/ws/articles/{article.pk}", key) as deaf:
        await within(5, lambda: layer_state()[1] - before[1])
        await send_large_previews(article, 1000)  # 20 MB
        await within(10, lambda: nothing_leaked(before))
        async with asyncio.timeout(10):
            assert len(await read_to_the_end(deaf)) < 8_000_000, "the memory grew with what was not read"
    assert "does not read" in caplog.text
    await done(do_step, held, "write:1")
    async with open_socket(site, f"/ws/articles/{article.pk}?after=0", key) as line:
        received = [await line.next()]
        while received[-1].get("seq") != article.last_seq + 2:
            received.append(await line.next())
    assert seqs(received) == list(range(1, article.last_seq + 3))


async def test_it_waits_for_a_slow_client(site: str, owner: User, key: str) -> None:
    article, held = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
        connection = line.ws._response.connection
        assert connection is not None
        transport: Any = connection.transport  # aiohttp reads ahead unless it is held
        transport.pause_reading()
        await send_large_previews(article, 400)
        for number in range(5):
            await done(do_step, held, f"write:{number}")
        await done(complete_run, held, make_manuscript(), notice="")
        await asyncio.sleep(1)
        transport.resume_reading()
        received = await line.rest(20)
        assert line.ws.close_code == 1000
    assert seqs(received) == list(range(article.last_seq + 1, article.last_seq + 13))
    assert received[-1]["type"] == "final"


async def test_the_page_receives_keep_alives(site: str, owner: User, key: str, frequent_polling: None) -> None:
    article, _ = await done(make_processing_article, owner)
    async with open_socket(site, f"/ws/articles/{article.pk}/page/?after={article.last_seq}", key) as line:
        assert [received["type"] for received in await line.take(2)] == ["alive", "alive"]


# Leaks


async def test_150_reconnecting_clients_receive_everything_and_leak_nothing(
    site: str, owner: User, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Each is disconnected after a few events and resumes after the last one it received."""
    before = layer_state()
    article, held = await done(make_processing_article, owner)
    path = f"/ws/articles/{article.pk}?after="

    async def messages_after(after: int, patience: int) -> list[Message]:
        try:
            async with open_socket(site, f"{path}{after}", key) as line:
                return await line.up_to(patience)
        except aiohttp.ClientOSError:  # a busy server drops a handshake that takes too long
            return []

    async def watch(patience: int) -> list[int]:
        seen = [0]
        while True:
            messages = await messages_after(seen[-1], patience)
            seen += seqs(messages)
            if messages and messages[-1]["type"] == "final":
                return seen[1:]

    watchers = [asyncio.create_task(watch(3 + number % 20)) for number in range(150)]
    for number in range(15):
        await done(do_step, held, f"write:{number}")
    await done(complete_run, held, make_manuscript(), notice="")
    async with asyncio.timeout(60):
        for seen in await asyncio.gather(*watchers):
            assert seen == list(range(1, article.last_seq + 33))
    await within(15, lambda: nothing_leaked(before))
    await asyncio.sleep(1.5)  # Daphne looks once a second how applications ended
    assert "Exception inside application" not in caplog.text


async def test_a_disconnect_during_a_notification_leaks_nothing(site: str, owner: User, key: str) -> None:
    """Channels forgets to free a channel on which a message came in the moment of leaving."""
    before = layer_state()
    article, _ = await done(make_processing_article, owner)
    over = asyncio.Event()

    async def notify_repeatedly() -> None:
        while not over.is_set():
            drafts = drafts_message(article.pk, [{"step": "write:1", "offset": 0, "text": "roof"}])
            await get_channel_layer().group_send(group_name(article.pk), drafts)

    notifying = asyncio.create_task(notify_repeatedly())
    for _ in range(30):
        async with open_socket(site, f"/ws/articles/{article.pk}?after={article.last_seq}", key) as line:
            await line.next()
    over.set()
    await notifying
    await within(10, lambda: nothing_leaked(before))


async def test_accepting_a_timed_out_handshake_leaks_nothing(
    site: str, owner: User, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = layer_state()
    article, _ = await done(make_processing_article, owner)
    accept, dropped = consumers.ArticleEventsConsumer.accept, []

    async def accept_late(watcher: consumers.ArticleEventsConsumer) -> None:
        connection = watcher.base_send.args[0]  # Daphne's
        connection.onOpenHandshakeTimeout()
        dropped.append(connection)
        await accept(watcher)

    monkeypatch.setattr(consumers.ArticleEventsConsumer, "accept", accept_late)
    with pytest.raises(aiohttp.ClientError):
        async with open_socket(site, f"/ws/articles/{article.pk}", key):
            pass
    assert dropped
    await within(10, lambda: nothing_leaked(before))


async def test_a_second_cancellation_during_clean_up_leaks_nothing(
    owner: User, key: str, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Daphne does each second with one that takes long."""
    before, leave = layer_state(), consumers.ArticleEventsConsumer.clean_up
    is_leaving = asyncio.Event()

    async def leave_slowly(watcher: consumers.ArticleEventsConsumer) -> None:
        is_leaving.set()
        await asyncio.sleep(0.2)
        await leave(watcher)

    monkeypatch.setattr(consumers.ArticleEventsConsumer, "clean_up", leave_slowly)
    article, _ = await done(make_processing_article, owner)
    headers = [(b"authorization", f"Bearer {key}".encode())]
    watcher = WebsocketCommunicator(application, f"/ws/articles/{article.pk}", headers=headers)
    await watcher.connect(timeout=10)
    await watcher.receive_from(timeout=10)
    assert not nothing_leaked(before)
    watcher.future.cancel()
    async with asyncio.timeout(10):
        await is_leaving.wait()
    watcher.future.cancel()
    await within(10, lambda: nothing_leaked(before))


async def test_closed_sockets_are_unsubscribed(site: str, owner: User, key: str, redis: Any) -> None:
    """Nothing is left in Redis either: neither a socket's own channel nor its article's group."""
    article, _ = await done(make_processing_article, owner)
    path = f"/ws/articles/{article.pk}?after={article.last_seq}"
    subscribed = sync_to_async(lambda: set(redis.pubsub_channels("asgi*")))
    before = await subscribed()
    async with open_socket(site, path, key) as first, open_socket(site, path, key) as second:
        await first.next()
        await second.next()
        assert len(await subscribed() - before) == 3
    async with asyncio.timeout(10):
        while not await subscribed() <= before:
            await asyncio.sleep(0.05)
