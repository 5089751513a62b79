"""Clients of the API and the sockets that use an API key."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from articles.models import ApiKey

Got = TypeVar("Got")
Message = dict[str, Any]


def client_of(user: User, **more: Any) -> Client:
    _, key = ApiKey.objects.issue(user, "tests")
    return Client(headers={"Authorization": f"Bearer {key}"}, **more)


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


async def done(do: Callable[..., Got], *args: Any, **more: Any) -> Got:
    """Runs ``do`` in a thread, as database code has to be."""
    return await sync_to_async(do)(*args, **more)


class SocketClient:
    """The client side of a socket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def text(self, seconds: float = 5.0) -> str:
        async with asyncio.timeout(seconds):  # aiohttp's own timeout restarts with each ping of the server
            return await self.ws.receive_str()

    async def next(self, seconds: float = 5.0) -> Message:
        message: Message = json.loads(await self.text(seconds))
        return message

    async def take(self, count: int) -> list[Message]:
        return [await self.next() for _ in range(count)]

    async def up_to(self, count: int) -> list[Message]:
        """``count`` messages, or fewer if the server closes."""
        got: list[Message] = []
        while len(got) < count and (message := await self.ws.receive(30)).type == aiohttp.WSMsgType.TEXT:
            got.append(json.loads(message.data))
        return got

    async def rest(self, seconds: float = 5.0) -> list[Message]:
        """Everything until the server closes."""
        got = []
        async with asyncio.timeout(seconds):
            async for message in self.ws:
                got.append(json.loads(message.data))
        return got

    async def silent(self, seconds: float = 0.3) -> None:
        with pytest.raises(TimeoutError):
            await self.text(seconds)


@asynccontextmanager
async def open_socket(site: str, path: str, key: str = "", **headers: str) -> AsyncIterator[SocketClient]:
    if key:
        headers["Authorization"] = f"Bearer {key}"
    async with aiohttp.ClientSession() as session, session.ws_connect(site + path, headers=headers) as ws:
        yield SocketClient(ws)
