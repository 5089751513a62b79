"""A web process that is stopped finishes its requests, and closes sockets so that their clients come back."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator

import aiohttp
import pytest

from tests.web_process import WebProcess, web_process


@pytest.fixture
def slow_web(redis_server: str) -> Iterator[WebProcess]:
    with web_process(os.environ, "tests.slow_application:application") as started:
        yield started


async def test_requests_are_finished_and_sockets_closed_for_a_restart(slow_web: WebProcess) -> None:
    async with aiohttp.ClientSession(slow_web.address) as session, session.ws_connect("/") as ws:
        request = asyncio.create_task(session.get("/"))
        await asyncio.sleep(0.5)
        slow_web.process.terminate()
        closing = await ws.receive(timeout=5)
        assert (closing.type, ws.close_code) == (aiohttp.WSMsgType.CLOSE, 1012)
        async with await request as response:
            assert await response.text() == "done"
    assert await asyncio.to_thread(slow_web.process.wait, 10) == 0


async def test_no_further_connection_is_accepted(slow_web: WebProcess) -> None:
    async with aiohttp.ClientSession(slow_web.address) as session:
        request = asyncio.create_task(session.get("/"))
        await asyncio.sleep(0.3)
        slow_web.process.terminate()
        await asyncio.sleep(0.3)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", slow_web.port))
        assert (await request).status == 200


async def test_unfinished_requests_and_idle_connections_do_not_delay_it(slow_web: WebProcess) -> None:
    connections = [socket.create_connection(("127.0.0.1", slow_web.port)) for _ in range(3)]
    connections[0].sendall(b"GET / HT")
    connections[1].sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab")
    await asyncio.sleep(0.3)
    began = time.monotonic()
    slow_web.process.terminate()
    assert await asyncio.to_thread(slow_web.process.wait, 10) == 0
    assert time.monotonic() - began < 3
    for connection in connections:
        connection.close()
