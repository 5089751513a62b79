"""The picture a model draws, over real HTTP, and the cover the studio sets."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import struct
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import openai
import pytest
from PIL import Image

from agents.costs.usage import metered
from agents.exceptions import FetchRefused, ModelError
from agents.images import cover, generate
from agents.images.cover import draw_cover
from agents.images.generate import MAX_BYTES, draw, suffix
from agents.images.share_card import CARD_BYTES, share_crop
from tests.model_client import client_of
from tests.model_server import ModelServer

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 100
WEBP = b"RIFF\x64\0\0\0WEBPVP8 " + b"\0" * 100

Answer = tuple[int, Any]


class ImageServer(ThreadingHTTPServer):
    """Answers the images API with ``answers``, one after another, the last one again; keeps what it was ``asked``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers: list[Answer] = []
        self.asked: list[dict[str, Any]] = []

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Answering(BaseHTTPRequestHandler):
    server: ImageServer

    def do_POST(self) -> None:
        assert self.path == "/v1/images/generations"
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        status, answer = self.server.next()
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep the test's output its own."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ImageServer]:
    monkeypatch.setattr("agents.llm.retry.pause", lambda fault, attempt: 0.0)
    with ImageServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
async def client(server: ImageServer) -> AsyncIterator[openai.AsyncOpenAI]:
    address = f"http://127.0.0.1:{server.server_port}/v1"
    async with client_of(address, timeout=5) as client:
        yield client


def sent(picture: bytes | str) -> Answer:
    text = picture if isinstance(picture, str) else base64.b64encode(picture).decode()
    return 200, {"created": 1, "data": [{"b64_json": text}]}


def linked(address: str) -> Answer:
    return 200, {"created": 1, "data": [{"url": address}]}


def refused(status: int, code: str) -> Answer:
    return status, {"error": {"message": "no", "type": "x", "code": code}}


async def no_fetch(address: str) -> bytes:
    raise AssertionError(f"nothing asked for {address}")


async def drawn(client: openai.AsyncOpenAI, model: str = "gpt-image-1") -> bytes:
    return await draw("A roof in bloom", client=client, model=model, fetch=no_fetch)


@pytest.mark.parametrize("picture", [PNG, JPEG, WEBP])
async def test_it_takes_a_picture_sent_along(server: ImageServer, client: openai.AsyncOpenAI, picture: bytes) -> None:
    server.answers = [sent(picture)]
    assert await drawn(client) == picture
    assert server.asked == [{"prompt": "A roof in bloom", "model": "gpt-image-1", "n": 1, "size": "1536x1024"}]


@pytest.mark.parametrize(
    ("model", "size"), [("dall-e-3", "1792x1024"), ("dall-e-2", "1024x1024"), ("my-own", "1536x1024")]
)
async def test_it_asks_for_a_size_the_model_has(
    server: ImageServer, client: openai.AsyncOpenAI, model: str, size: str
) -> None:
    server.answers = [sent(PNG)]
    await drawn(client, model)
    assert server.asked[0]["size"] == size


async def test_the_caller_may_choose_the_size(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    server.answers = [sent(PNG)]
    await draw("A roof", client=client, model="gpt-image-1", fetch=no_fetch, size="512x512")
    assert server.asked[0]["size"] == "512x512"


async def test_it_fetches_a_picture_that_was_only_named(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    fetched = []

    async def fetch(address: str) -> bytes:
        fetched.append(address)
        return PNG

    server.answers = [linked("https://pictures.example/1.png")]
    assert await draw("A roof", client=client, model="dall-e-3", fetch=fetch) == PNG
    assert fetched == ["https://pictures.example/1.png"]


async def test_what_the_fetcher_refuses_is_refused(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    async def fetch(address: str) -> bytes:
        raise FetchRefused(f"{address} is a private address.")

    server.answers = [linked("http://169.254.169.254/latest/meta-data")]
    with pytest.raises(FetchRefused):
        await draw("A roof", client=client, model="dall-e-3", fetch=fetch)
    assert len(server.asked) == 1


async def test_it_reads_a_data_address_without_fetching(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    server.answers = [linked(f"data:image/png;base64,{base64.b64encode(PNG).decode()}")]
    assert await drawn(client) == PNG


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sent(b"<html>sorry</html>"), "no PNG, JPEG or WebP"),
        (sent(b"<svg onload='alert(1)'/>"), "no PNG, JPEG or WebP"),
        (sent("not base64 at all!"), "garbled"),
        ((200, {"created": 1, "data": []}), "without a picture"),
        ((200, {"created": 1}), "without a picture"),
        ((200, {"created": 1, "data": [{}]}), "without a picture"),
        ((200, b"<html>not an API</html>"), "could not be parsed"),
        ((200, b"[1, 2]"), "could not be parsed"),
        ((200, b'{"created": 1, "data": [7]}'), "could not be parsed"),
        ((200, b'{"created": 1, "data": "x"}'), "could not be parsed"),
        ((200, b'{"created": 1, "data": [{"b64_json": 7}]}'), "could not be parsed"),
    ],
)
async def test_garbage_is_told_and_never_stored(
    server: ImageServer, client: openai.AsyncOpenAI, answer: Answer, reason: str
) -> None:
    server.answers = [answer]
    with pytest.raises(ModelError, match=reason):
        await drawn(client)


async def test_a_picture_that_is_too_large_is_refused(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    async def fetch(address: str) -> bytes:
        return PNG + b"\0" * MAX_BYTES

    server.answers = [linked("https://pictures.example/1.png")]
    with pytest.raises(ModelError, match="larger than 20 MB"):
        await draw("A roof", client=client, model="dall-e-3", fetch=fetch)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refused(400, "content_policy_violation"), "content filter"),
        (refused(401, "invalid_api_key"), "OPENAI_API_KEY"),
        (refused(404, "model_not_found"), "IMAGE_MODEL"),
        (refused(429, "insufficient_quota"), "quota"),
    ],
)
async def test_a_refusal_for_good_is_asked_once_and_says_why(
    server: ImageServer, client: openai.AsyncOpenAI, answer: Answer, reason: str
) -> None:
    server.answers = [answer]
    with pytest.raises(ModelError, match=reason) as caught:
        await drawn(client)
    assert caught.value.permanent
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [refused(429, "rate_limit_exceeded"), refused(500, "x"), refused(503, "x")])
async def test_it_asks_again_where_that_can_help(
    server: ImageServer, client: openai.AsyncOpenAI, answer: Answer
) -> None:
    server.answers = [answer, answer, sent(PNG)]
    assert await drawn(client) == PNG


async def test_it_gives_up_in_the_end(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    server.answers = [refused(500, "x")]
    with pytest.raises(ModelError, match="3 attempts") as caught:
        await drawn(client)
    assert not caught.value.permanent
    assert len(server.asked) == generate.ATTEMPTS


async def test_a_server_that_is_not_there_is_told(server: ImageServer) -> None:
    async with client_of("http://127.0.0.1:9/v1") as client:
        with pytest.raises(ModelError, match="cannot be reached"):
            await drawn(client)


async def test_a_picture_that_was_not_waited_for_is_counted(
    model_server: ModelServer, model_client: openai.AsyncOpenAI
) -> None:
    model_server.fail(hang=30)
    with metered() as usage:
        call = asyncio.create_task(drawn(model_client))
        async with asyncio.timeout(20):
            while not model_server.calls:
                await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert (usage.calls, usage.pictures) == (1, 1)


async def test_every_call_is_counted_with_its_tokens(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    status, body = sent(PNG)
    details = {"image_tokens": 0, "text_tokens": 11}
    usage = {"input_tokens": 11, "output_tokens": 4160, "total_tokens": 4171, "input_tokens_details": details}
    server.answers = [refused(500, "x"), (status, body | {"usage": usage})]
    with metered() as spent:
        await drawn(client)
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens) == (2, 11, 4160)


@pytest.mark.parametrize(
    ("picture", "end"),
    [(PNG, ".png"), (JPEG, ".jpg"), (WEBP, ".webp"), (b"RIFF\0\0\0\0WAVE", ""), (b"GIF89a", ""), (b"", "")],
)
def test_the_first_bytes_tell_the_kind(picture: bytes, end: str) -> None:
    assert suffix(picture) == end


# The picture of a card


def coloured(width: int, height: int, *, noise: bool = False) -> bytes:
    """A PNG: red on the left, blue on the right; or a noise that no PNG makes smaller."""
    chance = random.Random(1)
    half = width // 2
    row = b"\0" + b"\xff\0\0" * half + b"\0\0\xff" * (width - half)
    rows = b"".join(b"\0" + chance.randbytes(3 * width) if noise else row for _ in range(height))
    return png(width, height, zlib.compress(rows, 1))


def png(width: int, height: int, packed: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def opened(card: bytes) -> Image.Image:
    return Image.open(BytesIO(card)).convert("RGB")


@pytest.mark.parametrize(("width", "height"), [(1536, 1024), (1792, 1024), (1024, 1024), (200, 900)])
def test_a_card_has_its_size_whatever_the_pictures(width: int, height: int) -> None:
    card = share_crop(coloured(width, height))
    assert suffix(card) == ".jpg"
    assert opened(card).size == (1200, 630)
    assert len(card) <= CARD_BYTES


def test_a_card_is_the_middle_of_the_picture_unstretched() -> None:
    """Of 500 × 2000 dots a band of 500 × 262.5 is left: 20 lines of white in the middle become 48 of 630."""
    white, black = b"\0" + b"\xff" * 1500, b"\0" + b"\0" * 1500
    rows = b"".join(white if row < 500 or 990 <= row < 1010 else black for row in range(2000))
    card = opened(share_crop(png(500, 2000, zlib.compress(rows))))
    assert all(card.getpixel((600, row))[0] < 10 for row in (0, 280, 350, 629))
    assert all(card.getpixel((600, row))[0] > 245 for row in range(300, 331))


def test_what_is_transparent_is_shown_on_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(file, "PNG")
    assert opened(share_crop(file.getvalue())).getpixel((600, 300)) == (255, 255, 255)


def test_a_card_of_fine_details_is_made_coarser_until_messengers_take_it() -> None:
    card = share_crop(coloured(1536, 1024, noise=True))
    assert opened(card).size == (1200, 630)
    assert len(card) <= CARD_BYTES


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        PNG,
        PNG[:10],
        JPEG,
        JPEG[:3],
        WEBP,
        WEBP[:14],
        b"RIFF\x64\0\0\0WEBPVP8X" + b"\0" * 40,
        coloured(300, 200)[:200],
        png(300, 200, b"garbage"),
        png(1200, 630, b"garbage"),
    ],
)
def test_what_is_no_picture_becomes_no_card(picture: bytes) -> None:
    with pytest.raises(ModelError, match="picture cannot be read"):
        share_crop(picture)


@pytest.mark.parametrize("size", [8_000, 30_000])
def test_a_picture_that_would_fill_the_memory_is_refused_unread(size: int) -> None:
    with pytest.raises(ModelError, match="million are the"):
        share_crop(png(size, size, b""))


def test_the_studios_own_cover_is_a_card_as_it_is() -> None:
    cover = draw_cover("Rooftop gardens", seed="1")
    assert share_crop(cover) == cover


# The cover

TITLES = [
    "Sleep",
    "Rooftop gardens: what the evidence says",
    "Lợi ích của vườn trên mái nhà đối với thành phố",
    "Как города переживают жару и что говорят измерения",
    "Κήποι στις στέγες",
    '#import "x"; "quoted" $x$ @foo <b> \\ [x] #read("/etc/passwd")',
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
    "x" * 120,
    "word " * 60,
    "A title with a 🌱 and a 👩\u200d🌾 in it",
    "日本語の題名",
    "\u200b",
    "",
]


def test_a_cover_of_any_title_has_its_size() -> None:
    for title in TITLES:
        cover = draw_cover(title, "Content Studio", seed=title)
        assert suffix(cover) == ".png"
        assert struct.unpack(">II", cover[16:24]) == (1200, 630)
        assert len(cover) < 300_000


def test_an_article_keeps_its_cover_and_another_has_another() -> None:
    assert draw_cover("Title", seed="1") == draw_cover("Title", seed="1")
    assert draw_cover("Title", seed="1") != draw_cover("Title", seed="2")
    assert draw_cover("Title", seed="1") != draw_cover("Other", seed="1")


def test_a_title_is_text_and_never_code() -> None:
    shown = cover._showable('#panic("no") "quoted" \\ $x$')
    assert shown == '#panic("no") "quoted" \\ $x$'


def test_words_without_a_font_are_left_out_of_the_cover() -> None:
    assert cover._showable("Grow 🌱 more") == "Grow more"
    assert cover._showable("ᠮᠣᠩᠭᠣᠯ") == ""
