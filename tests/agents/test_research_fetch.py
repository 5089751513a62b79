from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web

from agents.exceptions import FetchRefused
from agents.research.addresses import Address, Allowed
from agents.research.fetch import Fetcher, parse_address
from agents.research.media_types import IMAGES, kind_of_answer
from tests.agents.fixtures.loopback import answering, serving

LOOPBACK = Allowed.parse(["127.0.0.0/8", "::1"])
HTML = {"content_type": "text/html", "charset": "utf-8"}


def fetcher(**limits: Any) -> Fetcher:
    usual: dict[str, Any] = {"allowed": LOOPBACK, "seconds": 5.0}
    return Fetcher(**usual | limits)


def answers(*addresses: str) -> Callable[[str, int], Awaitable[list[Address]]]:
    """A resolver that knows one answer for every name."""

    async def resolve(host: str, port: int) -> list[Address]:
        return [ip_address(address) for address in addresses]

    return resolve


async def test_it_fetches_a_page_from_an_allowed_network() -> None:
    async with serving(answering(text="<p>Grüße</p>", **HTML)) as site:
        page = await fetcher().fetch(f" {site}/a ")

    assert (page.url, page.content_type, page.charset) == (f"{site}/a", "text/html; charset=utf-8", "utf-8")
    assert page.body.decode() == "<p>Grüße</p>"


async def test_it_fetches_over_ipv6() -> None:
    async with serving(answering(text="six", **HTML), host="::1") as site:
        assert (await fetcher().fetch(site)).body == b"six"


async def test_it_says_who_it_is_and_keeps_no_cookies() -> None:
    seen = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(dict(request.headers))
        if request.path == "/":
            response = web.Response(status=302, headers={"Location": "/next"})
            response.set_cookie("who", "you")
            return response
        return web.Response(text="text")

    async with serving(handler) as site:
        await fetcher().fetch(site)

    assert all(headers["User-Agent"].startswith("ContentStudio/") for headers in seen)
    assert [headers.get("Cookie") for headers in seen] == [None, None]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_it_refuses_the_own_machine_however_it_is_spelled(host: str) -> None:
    asked = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(text="secret")

    async with serving(handler) as site:
        with pytest.raises(FetchRefused, match="private network"):
            await Fetcher().fetch(f"http://{host}:{site.rpartition(':')[2]}/")

    assert not asked


async def test_it_refuses_a_name_with_one_private_address_among_public_ones() -> None:
    with pytest.raises(FetchRefused, match="private network"):
        await Fetcher(resolve=answers("93.184.215.14", "10.0.0.1")).fetch("http://example.org/")


async def test_it_reads_an_allowed_host_by_name_and_asks_for_it_by_that_name() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text=request.headers["Host"])

    async with serving(handler) as site:
        port = site.rpartition(":")[2]
        allowed = Allowed.parse(["wiki.intranet"])
        page = await Fetcher(allowed=allowed, resolve=answers("127.0.0.1")).fetch(f"http://wiki.intranet:{port}/")

    assert page.body.decode() == f"wiki.intranet:{port}"


async def test_a_name_is_resolved_once_so_that_a_second_answer_gains_nothing() -> None:
    lookups = []

    async def rebinding(host: str, port: int) -> list[Address]:
        lookups.append(host)
        return [ip_address("127.0.0.2" if len(lookups) == 1 else "127.0.0.1")]

    allowed = Allowed.parse(["127.0.0.2"])
    async with serving(answering(text="secret")) as site:  # listens on 127.0.0.1 only
        with pytest.raises(FetchRefused, match="connection to rebinding"):
            await Fetcher(allowed=allowed, resolve=rebinding).fetch(f"http://rebinding.test:{site.rpartition(':')[2]}/")

    assert lookups == ["rebinding.test"]


async def test_it_tries_a_second_address_where_the_first_does_not_answer() -> None:
    async with serving(answering(text="there")) as site:
        port = site.rpartition(":")[2]
        page = await fetcher(resolve=answers("127.0.0.9", "127.0.0.1")).fetch(f"http://two.test:{port}/")

    assert page.body == b"there"


async def test_tls_is_spoken_with_the_name_and_not_with_the_address() -> None:
    greeting = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting.set_result(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FetchRefused, match="failed"):
            await fetcher(resolve=answers("127.0.0.1")).fetch(f"https://wiki.example.test:{port}/")

    assert b"wiki.example.test" in await greeting


@pytest.mark.parametrize("target", ["http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "//192.168.0.1/"])
async def test_it_refuses_a_redirect_into_a_private_network(target: str) -> None:
    async with serving(answering(status=302, headers={"Location": target})) as site:
        with pytest.raises(FetchRefused, match="private network"):
            await fetcher().fetch(site)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file:///etc/passwd", "http://"),
        ("gopher://example.org/", "http://"),
        ("http://me:secret@example.org/", "password"),
        ("http://example.org:port/", "Invalid port"),
    ],
)
async def test_it_refuses_a_redirect_to_what_it_would_not_fetch(target: str, reason: str) -> None:
    async with serving(answering(status=302, headers={"Location": target})) as site:
        with pytest.raises(FetchRefused, match=reason):
            await fetcher().fetch(site)


@pytest.mark.parametrize(
    "target",
    [
        "mailto:x",
        "about:blank",
        "http:\\\\127.0.0.1/",
        "http://xn--/",
        "http://xn--a/",
        "http://example.org:99999999999999999999/",
        "http://127.0.0.1:65536/",
        "http://" + "a" * 70 + ".example/",
    ],
)
async def test_it_refuses_a_redirect_to_an_address_no_server_has(target: str) -> None:
    async with serving(answering(status=302, headers={"Location": target})) as site:
        with pytest.raises(FetchRefused):
            await fetcher().fetch(site)


async def test_it_follows_five_redirects_and_no_more() -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        left = int(request.path[1:])
        return web.Response(status=301, headers={"Location": f"/{left - 1}"}) if left else web.Response(text="end")

    async with serving(handler) as site:
        page = await fetcher().fetch(f"{site}/5")
        with pytest.raises(FetchRefused, match="more than 5 times"):
            await fetcher().fetch(f"{site}/6")

    assert (page.url, page.body) == (f"{site}/0", b"end")


@pytest.mark.parametrize(
    "address",
    ["", "example.org", "ftp://example.org/", "javascript:alert(1)", "http://", "http://[::1", "http:///path", "a b"],
)
async def test_it_refuses_what_is_no_web_address(address: str) -> None:
    with pytest.raises(FetchRefused):
        await fetcher().fetch(address)


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(FetchRefused, match="password"):
        parse_address("https://user:secret@example.org/")


async def test_a_name_that_does_not_exist_is_said() -> None:
    with pytest.raises(FetchRefused, match=r"^nowhere\.invalid was not found"):
        await Fetcher().fetch("http://nowhere.invalid/")


async def test_it_unpacks_a_gzipped_page() -> None:
    packed = gzip.compress(b"plain text " * 1000, mtime=0)
    async with serving(answering(body=packed, content_type="text/plain", headers={"Content-Encoding": "gzip"})) as site:
        assert (await fetcher().fetch(site)).body == b"plain text " * 1000


async def test_a_gzip_bomb_is_refused_without_being_unpacked() -> None:
    bomb = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    packed = b"".join([bomb.compress(bytes(1024 * 1024)) for _ in range(100)]) + bomb.flush()
    async with serving(answering(body=packed, content_type="text/html", headers={"Content-Encoding": "gzip"})) as site:
        tracemalloc.start()
        with pytest.raises(FetchRefused, match="larger than 2 MB"):
            await fetcher(max_bytes=2 * 1024 * 1024).fetch(site)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 12 * 1024 * 1024


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b"text " * 1000, mtime=0)[:-20], "gzip", "cut off"),
        (b"no gzip at all", "gzip", "damaged"),
        (b"whatever", "br", "content encoding"),
        (b"whatever", "gzip, gzip", "content encoding"),
    ],
)
async def test_it_refuses_a_body_it_cannot_unpack(body: bytes, encoding: str, reason: str) -> None:
    async with serving(answering(body=body, content_type="text/html", headers={"Content-Encoding": encoding})) as site:
        with pytest.raises(FetchRefused, match=reason):
            await fetcher().fetch(site)


async def test_a_page_that_never_ends_is_refused_at_the_limit() -> None:
    sent = 0

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while sent < 50_000_000:
            await response.write(bytes(100_000))
            sent += 100_000
        return response

    async with serving(handler) as site:
        with pytest.raises(FetchRefused, match="larger than"):
            await fetcher(max_bytes=1_000_000).fetch(site)

    assert sent < 50_000_000


async def test_a_page_that_drips_is_given_up() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.05)

    async with serving(handler) as site:
        with pytest.raises(FetchRefused, match=r"within 0\.4 seconds"):
            await fetcher(seconds=0.4).fetch(site)


@pytest.mark.parametrize(
    ("content_type", "path", "kind"),
    [
        ("text/html; charset=utf-8", "/", "html"),
        ("application/xhtml+xml", "/", "html"),
        ("Text/Markdown", "/", "markdown"),
        ("application/octet-stream", "/paper.PDF", "pdf"),
        ("application/octet-stream", "/minutes.docx", "docx"),
        ("", "/notes.txt", "text"),
        ("image/png", "/", None),
        ("application/octet-stream", "/setup.exe", None),
        ("application/javascript", "/notes.txt", None),
    ],
)
def test_a_kind_is_told_by_media_type_or_where_there_is_none_by_name(
    content_type: str, path: str, kind: str | None
) -> None:
    assert kind_of_answer(content_type, path) == kind


async def test_it_takes_documents_and_where_it_is_asked_to_pictures() -> None:
    async with (
        serving(answering(body=b"png", content_type="image/png")) as picture,
        serving(answering(text="x")) as text,
    ):
        assert (await fetcher().fetch(picture, IMAGES)).body == b"png"
        assert (await fetcher().fetch(f"{text}/?version=2")).body == b"x"
        with pytest.raises(FetchRefused, match=r"image/png\. The studio can read web pages"):
            await fetcher().fetch(picture)
        with pytest.raises(FetchRefused, match="PNG, JPEG and WebP"):
            await fetcher().fetch(text, IMAGES)


@pytest.mark.parametrize(
    ("status", "reason"), [(403, "Paste its text"), (404, "no such page"), (500, "Try again later")]
)
async def test_a_page_that_is_not_served_is_explained(status: int, reason: str) -> None:
    async with serving(answering(status=status, text="no")) as site:
        with pytest.raises(FetchRefused, match=reason):
            await fetcher().fetch(site)


async def test_a_server_that_speaks_something_else_is_refused() -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org ESMTP\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        with pytest.raises(FetchRefused, match="failed"):
            await fetcher().fetch(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
