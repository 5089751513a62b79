"""The web server cuts off slow requests and limits the connections of a client."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest
from django.conf import settings

from articles.models import ApiKey
from contentstudio.runtime import request_limits
from contentstudio.runtime.request_limits import ConnectionLimiter
from tests.articles.clients import done
from tests.environment import ROOT
from tests.factories import UserFactory, make_article
from tests.raw_connection import connected
from tests.web_process import web_process

pytestmark = pytest.mark.django_db(transaction=True)


# Time


async def test_headers_that_never_end_are_cut_off(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "HEADERS_TIMEOUT", 1.0)
    async with connected(site) as client:
        closed = asyncio.create_task(client.read_until_closed())
        for letter in "GET / HTTP/1.1\r\nX-Slow: ".ljust(100, "x"):
            if closed.done():
                break
            try:
                await client.send(letter.encode())
            except ConnectionResetError:  # it was cut off while a letter was on its way
                break
            await asyncio.sleep(0.2)
        assert await closed == ""


async def test_a_body_that_is_too_slow_is_cut_off(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "RATE_WINDOW", 1.0)
    async with connected(site) as client:
        await client.send_head("POST /sign-in/ HTTP/1.1", "Content-Length: 2000000")
        response, sent = await client.upload(slowly(b"x", 100))
    assert response.startswith("HTTP/1.1 408 ")
    assert sent < 60


async def test_a_body_that_is_not_too_slow_is_received(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "RATE_WINDOW", 1.0)
    async with connected(site) as client:
        await client.send_head("POST /sign-in/ HTTP/1.1", f"Content-Length: {60 * 4096}")
        response, _ = await client.upload(slowly(b"x" * 4096, 60))
    assert response.startswith("HTTP/1.1 403 ")


async def slowly(part: bytes, times: int) -> AsyncIterator[bytes]:
    for _ in range(times):
        yield part
        await asyncio.sleep(0.1)


# Connections


async def test_connections_of_one_client_are_limited_and_given_back(
    program_environment: dict[str, str], static_files: None
) -> None:
    user = await done(UserFactory.create)
    article, (_, key) = await done(make_article, user), await done(ApiKey.objects.issue, user, "tests")
    with web_process({**program_environment, "MAX_CONNECTIONS_PER_CLIENT": "20"}) as web:
        for _ in range(2):  # the second time, all have been given back
            async with AsyncExitStack() as stack:
                session = await stack.enter_async_context(aiohttp.ClientSession(web.address))
                for _ in range(10):  # connections that became sockets count as well
                    path, headers = f"/ws/articles/{article.pk}", {"Authorization": f"Bearer {key}"}
                    await stack.enter_async_context(session.ws_connect(path, headers=headers))
                for _ in range(10):
                    await stack.enter_async_context(connected(web.address))
                async with connected(web.address) as one_too_many:
                    assert await one_too_many.read_until_closed() == ""
                async with connected(web.address, source="127.0.0.2") as another:
                    await another.send_head("GET /api/ HTTP/1.1")
                    assert (await another.read_until_closed()).startswith("HTTP/1.1 200 ")
            await asyncio.sleep(0.5)


def test_clients_with_ipv6_are_counted_by_their_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_CONNECTIONS_PER_CLIENT", 2)
    limiter = ConnectionLimiter()
    assert limiter.open("2001:db8::1")
    assert limiter.open("2001:db8::2")
    assert not limiter.open("2001:db8::3")
    assert limiter.open("2001:db8:0:1::1")
    assert limiter.open("::ffff:192.0.2.1")
    assert limiter.open("192.0.2.1")
    assert not limiter.open("192.0.2.1"), "an IPv4 address counts the same however it is written"
    limiter.close("2001:db8::1")
    assert limiter.open("2001:db8::3")


def test_the_limit_of_open_files_is_raised() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    script = f"""if True:
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard}))
        from contentstudio.runtime.request_limits import raise_open_file_limit
        raise_open_file_limit()
        print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    """
    output = subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True)
    assert int(output) == min(hard, request_limits.MAX_OPEN_FILES)
