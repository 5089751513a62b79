"""The ASGI handler, behind the real server and alone: its threads, body limits and streamed files."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from articles.models import ApiKey
from contentstudio.runtime.asgi_handler import THREADS, ThreadedHandler
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key() -> str:
    user: User = UserFactory.create()
    return ApiKey.objects.issue(user, "tests")[1]


async def test_a_chunked_body_is_read_up_to_the_limit(site: str, key: str) -> None:
    async def body(size: int) -> AsyncIterator[bytes]:
        yield b'{"topic": "Rooftop gardens'
        for _ in range(size // 65536):
            yield b" " * 65536
        yield b'"}'

    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(site, headers=headers) as session:
        async with session.post("/api/articles/create", data=body(0)) as answer:
            assert answer.status == 201
        async with session.post(
            "/api/articles/create", data=body(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 65536)
        ) as answer:
            assert answer.status == 413
            assert "larger than" in (await answer.json())["detail"]


async def test_more_concurrent_requests_than_threads_are_answered(site: str, key: str) -> None:
    async def ask(session: aiohttp.ClientSession) -> int:
        async with session.get("/api/articles/", headers={"Authorization": f"Bearer {key}"}) as answer:
            return answer.status

    async with aiohttp.ClientSession(site) as session:
        assert await asyncio.gather(*(ask(session) for _ in range(2 * THREADS))) == [200] * 2 * THREADS


# The handler itself, with views of the tests


def whole(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body)


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(settings.VAR, "large.bin").open("rb"))


async def ticks(request: HttpRequest) -> StreamingHttpResponse:
    async def tick() -> AsyncIterator[bytes]:
        yield b"tick "
        yield b"tock"

    return StreamingHttpResponse(tick())


urlpatterns = [path("whole", whole), path("file", file), path("ticks", ticks)]


async def call(target: str, body: bytes = b"") -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body} if body != b"gone" else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": target,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    with override_settings(ROOT_URLCONF="tests.test_asgi_handler", MIDDLEWARE=[]):
        handler = ThreadedHandler()
        await handler(scope, receive, send)
    return sent


async def test_a_file_is_sent_in_chunks(tmp_path: Path) -> None:
    content = os.urandom(200_000)
    Path(settings.VAR, "large.bin").write_bytes(content)
    start, *parts = await call("/file")
    assert start["status"] == 200
    assert b"".join(part.get("body", b"") for part in parts) == content
    assert max(len(part.get("body", b"")) for part in parts) == ThreadedHandler.chunk_size


async def test_an_async_view_still_works() -> None:
    assert b"".join(part.get("body", b"") for part in (await call("/ticks"))[1:]) == b"tick tock"


async def test_a_client_that_disconnects_during_its_body_gets_no_response() -> None:
    assert await call("/whole", b"gone") == []
    assert (await call("/whole", json.dumps([1]).encode()))[1]["body"] == b"[1]"
