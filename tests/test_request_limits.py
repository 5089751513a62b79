"""The web server refuses bodies that are too large or too many, and receives large uploads in little memory."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from articles.models import Article
from contentstudio.runtime import request_limits
from contentstudio.runtime.request_limits import BodyBudget
from tests.articles.clients import done
from tests.articles.test_pages_brief import brief
from tests.factories import UserFactory
from tests.raw_connection import connected, repeated
from tests.web_process import WebProcess, web_process

pytestmark = pytest.mark.django_db(transaction=True)
MB = 1024 * 1024
LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE  # of all bodies but those of a brief with documents
BOUNDARY = "b0undary"
MULTIPART = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(scope="module")
def web(program_environment: dict[str, str], static_files: None) -> Iterator[WebProcess]:
    """A separate web process, so that its memory can be measured."""
    with web_process(program_environment) as started:
        yield started


class PeakMemory:
    """By how much the memory of process ``pid`` grows inside the block, at most."""

    def __init__(self, pid: int) -> None:
        self._proc = Path(f"/proc/{pid}")

    def __enter__(self) -> PeakMemory:
        (self._proc / "clear_refs").write_text("5")  # the peak begins at the present size; see proc(5)
        self._before = self._peak()
        return self

    def __exit__(self, *_: object) -> None:
        self.growth = self._peak() - self._before

    def _peak(self) -> int:
        found = re.search(r"VmHWM:\s+(\d+) kB", (self._proc / "status").read_text())
        assert found
        return int(found[1]) * 1024


def field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def document(name: str, size: int) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="documents"; filename="{name}"\r\n\r\n'
    return head.encode() + b"A sentence about roofs and rain.\n" * (size // 33) + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def session_cookies(user: User) -> str:
    client = Client()
    client.force_login(user)
    return f"Cookie: sessionid={client.cookies['sessionid'].value}; csrftoken={'t' * 32}"


async def test_a_large_form_of_an_anonymous_client_is_refused_early(web: WebProcess) -> None:
    with PeakMemory(web.pid) as memory:
        async with connected(web.address) as client:
            await client.send_head("POST /sign-in/ HTTP/1.1", MULTIPART, f"Content-Length: {100 * MB}")
            response, sent = await client.upload(repeated(document("a.txt", 65536), 100 * MB))
    assert response.startswith("HTTP/1.1 413 ")
    assert f"larger than {LIMIT // 1024} kB" in response
    assert sent < 20 * MB
    assert memory.growth < 40 * MB


async def test_a_chunked_body_is_refused_once_it_is_too_large(web: WebProcess) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    with PeakMemory(web.pid) as memory:
        async with connected(web.address) as client:
            await client.send_head("POST /api/articles/create HTTP/1.1", "Transfer-Encoding: chunked")
            response, sent = await client.upload(repeated(chunk, 100 * MB))
    assert response.startswith("HTTP/1.1 413 ")
    assert response.endswith(f'{{"detail": "The request is larger than {LIMIT // 1024} kB."}}')
    assert sent < 20 * MB
    assert memory.growth < 40 * MB


async def test_a_refused_client_is_not_asked_to_continue(web: WebProcess) -> None:
    async with connected(web.address) as client:
        await client.send_head("PUT / HTTP/1.1", "Expect: 100-continue", f"Content-Length: {4 * MB}")
        assert (await client.read_until_closed()).startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize(("kind", "part"), [("application/x-www-form-urlencoded", b"a=1&"), (MULTIPART[14:], b"\r\n")])
async def test_a_form_that_is_slow_to_parse_delays_nobody(web: WebProcess, kind: str, part: bytes) -> None:
    """Other requests on a busy machine may be slow by chance, so the best of three uploads counts."""
    delays = [await longest_delay_of_others(web, kind, part) for _ in range(3)]
    assert min(delays) < 0.5


async def longest_delay_of_others(web: WebProcess, kind: str, part: bytes) -> float:
    """Seconds the slowest of many small requests takes while a form of the largest size is received and parsed."""
    size = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 65536 * 65536
    async with connected(web.address) as client, aiohttp.ClientSession(web.address) as others:
        await client.send_head("POST /sign-in/ HTTP/1.1", f"Content-Type: {kind}", f"Content-Length: {size}")
        uploading = asyncio.create_task(client.upload(repeated(part * (65536 // len(part)), size)))
        slowest = 0.0
        while not uploading.done():
            began = time.monotonic()
            async with others.get("/api/") as response:
                assert response.status == 200
            slowest = max(slowest, time.monotonic() - began)
        assert (await uploading)[0].startswith("HTTP/1.1 4")
    return slowest


async def test_a_brief_with_many_large_documents_is_accepted_and_takes_no_memory(web: WebProcess) -> None:
    user = await done(UserFactory.create)
    parts = [field(name, value) for name, value in brief(csrfmiddlewaretoken="t" * 32).items()]
    parts += [document(f"{number}.txt", 10 * MB) for number in range(6)] + [END]

    async def body() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    with PeakMemory(web.pid) as memory:
        async with connected(web.address) as client:
            cookies = await done(session_cookies, user)
            size = sum(map(len, parts))
            await client.send_head("POST /articles/new/ HTTP/1.1", MULTIPART, f"Content-Length: {size}", cookies)
            response, sent = await client.upload(body())
    assert response.startswith("HTTP/1.1 302 "), response[:4000]
    assert sent == size
    assert await Article.objects.filter(owner=user, sources__isnull=False).acount() == 6
    assert memory.growth < 40 * MB


@pytest.mark.parametrize(
    ("path", "cookies", "size"),
    [
        ("/articles/new/", lambda user: "Cookie: sessionid=made-up", LIMIT + MB),
        ("/articles/new/", lambda user: "Cookie: a", LIMIT + MB),
        ("/sign-in/", session_cookies, LIMIT + MB),
        ("/nowhere/", session_cookies, LIMIT + MB),
        ("/articles/new/", session_cookies, 400 * MB),
    ],
)
async def test_other_uploads_are_refused(web: WebProcess, path: str, cookies: Callable[[User], str], size: int) -> None:
    user = await done(UserFactory.create)
    async with connected(web.address) as client:
        await client.send_head(f"POST {path} HTTP/1.1", MULTIPART, f"Content-Length: {size}", await done(cookies, user))
        response, _ = await client.upload(repeated(b"x" * 65536, size))
    assert response.startswith("HTTP/1.1 413 ")


def test_every_view_that_takes_documents_may_receive_them() -> None:
    """A view whose form has documents, and that is not listed, would refuse all but the smallest."""
    views = {"article_new": reverse("article_new"), "write_again": reverse("write_again", args=[7])}
    assert set(settings.UPLOAD_VIEWS) == set(views)
    for path in views.values():
        assert request_limits.is_upload(b"POST", f"{path}?a=b".encode(), b"multipart/form-data; boundary=x")
        assert not request_limits.is_upload(b"PUT", path.encode(), b"multipart/form-data; boundary=x")
        assert not request_limits.is_upload(b"POST", path.encode(), b"application/json")
    assert not request_limits.is_upload(b"POST", b"/sign-in/", b"multipart/form-data; boundary=x")


async def test_too_many_bodies_in_progress_are_refused_except_small_ones(web: WebProcess) -> None:
    unfinished = request_limits.MAX_FORMS_IN_PROGRESS // request_limits.max_body()
    async with AsyncExitStack() as stack:
        for _ in range(unfinished):
            client = await stack.enter_async_context(connected(web.address))
            await client.send_head("POST /sign-in/ HTTP/1.1", "Transfer-Encoding: chunked")
        async with connected(web.address) as client:
            await client.send_head("POST /sign-in/ HTTP/1.1", f"Content-Length: {MB}")
            response = await client.read_until_closed()
            assert response.startswith("HTTP/1.1 503 ")
            assert "Retry-After" in response
        async with aiohttp.ClientSession(web.address) as session, session.post("/sign-in/", data="a=1") as answer:
            assert answer.status == 403  # by Django, which misses the CSRF token
    async with connected(web.address) as client:
        await client.send_head("POST /sign-in/ HTTP/1.1", f"Content-Length: {MB}")
        response, _ = await client.upload(repeated(b"x" * 65536, MB))
        assert response.startswith("HTTP/1.1 403 "), "the bodies of closed connections still count"


def test_a_budget_counts_what_is_reserved() -> None:
    budget = BodyBudget(limit=200_000)
    assert budget.reserve(150_000)
    assert not budget.reserve(100_000)
    assert budget.reserve(request_limits.SMALL_BODY)
    budget.release(request_limits.SMALL_BODY)
    budget.release(150_000)
    assert budget.reserve(200_000)
