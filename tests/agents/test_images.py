"""Images generated over HTTP, their crop for social previews, and the built-in cover."""

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
from agents.images import share_crop as crop_module
from agents.images.cover import draw_cover
from agents.images.generate import MAX_BYTES, file_suffix, generate_image
from agents.images.share_crop import share_crop
from tests.model_client import client_of
from tests.model_server import ModelServer

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 100
WEBP = b"RIFF\x64\0\0\0WEBPVP8 " + b"\0" * 100

Answer = tuple[int, Any]


class ImageServer(ThreadingHTTPServer):
    """Answers the images API with ``answers`` in turn, the last one repeatedly. Keeps the bodies of ``requests``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.requests: list[dict[str, Any]] = []

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(BaseHTTPRequestHandler):
    server: ImageServer

    def do_POST(self) -> None:
        assert self.path == "/v1/images/generations"
        self.server.requests.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        status, answer = self.server.next()
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Not printed."""


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


def sent(image: bytes | str) -> Answer:
    text = image if isinstance(image, str) else base64.b64encode(image).decode()
    return 200, {"created": 1, "data": [{"b64_json": text}]}


def linked(address: str) -> Answer:
    return 200, {"created": 1, "data": [{"url": address}]}


def refused(status: int, code: str) -> Answer:
    return status, {"error": {"message": "no", "type": "x", "code": code}}


async def no_fetch(address: str) -> bytes:
    raise AssertionError(f"unexpected request for {address}")


async def generated(client: openai.AsyncOpenAI, model: str = "gpt-image-1") -> bytes:
    return await generate_image("A roof in bloom", client=client, model=model, fetch=no_fetch)


@pytest.mark.parametrize("image", [PNG, JPEG, WEBP])
async def test_it_accepts_an_image_in_the_response(
    server: ImageServer, client: openai.AsyncOpenAI, image: bytes
) -> None:
    server.answers = [sent(image)]
    assert await generated(client) == image
    assert server.requests == [{"prompt": "A roof in bloom", "model": "gpt-image-1", "n": 1, "size": "1536x1024"}]


@pytest.mark.parametrize(
    ("model", "size"), [("dall-e-3", "1792x1024"), ("dall-e-2", "1024x1024"), ("my-own", "1536x1024")]
)
async def test_it_requests_a_size_the_model_has(
    server: ImageServer, client: openai.AsyncOpenAI, model: str, size: str
) -> None:
    server.answers = [sent(PNG)]
    await generated(client, model)
    assert server.requests[0]["size"] == size


async def test_it_fetches_an_image_from_its_url(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    fetched = []

    async def fetch(address: str) -> bytes:
        fetched.append(address)
        return PNG

    server.answers = [linked("https://pictures.example/1.png")]
    assert await generate_image("A roof", client=client, model="dall-e-3", fetch=fetch) == PNG
    assert fetched == ["https://pictures.example/1.png"]


async def test_a_refused_fetch_is_not_repeated(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    async def fetch(address: str) -> bytes:
        raise FetchRefused(f"{address} is a private address.")

    server.answers = [linked("http://169.254.169.254/latest/meta-data")]
    with pytest.raises(FetchRefused):
        await generate_image("A roof", client=client, model="dall-e-3", fetch=fetch)
    assert len(server.requests) == 1


async def test_it_decodes_a_data_url_without_fetching(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    server.answers = [linked(f"data:image/png;base64,{base64.b64encode(PNG).decode()}")]
    assert await generated(client) == PNG


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (sent(b"<html>sorry</html>"), "not a PNG, JPEG or WebP"),
        (sent(b"<svg onload='alert(1)'/>"), "not a PNG, JPEG or WebP"),
        (sent("not base64 at all!"), "invalid data"),
        ((200, {"created": 1, "data": []}), "no image"),
        ((200, {"created": 1}), "no image"),
        ((200, {"created": 1, "data": [{}]}), "no image"),
        ((200, b"<html>not an API</html>"), "could not be parsed"),
        ((200, b"[1, 2]"), "could not be parsed"),
        ((200, b'{"created": 1, "data": [7]}'), "could not be parsed"),
        ((200, b'{"created": 1, "data": "x"}'), "could not be parsed"),
        ((200, b'{"created": 1, "data": [{"b64_json": 7}]}'), "could not be parsed"),
    ],
)
async def test_an_invalid_response_is_reported(
    server: ImageServer, client: openai.AsyncOpenAI, answer: Answer, reason: str
) -> None:
    server.answers = [answer]
    with pytest.raises(ModelError, match=reason):
        await generated(client)


async def test_an_image_that_is_too_large_is_refused(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    async def fetch(address: str) -> bytes:
        return PNG + b"\0" * MAX_BYTES

    server.answers = [linked("https://pictures.example/1.png")]
    with pytest.raises(ModelError, match="larger than 20 MB"):
        await generate_image("A roof", client=client, model="dall-e-3", fetch=fetch)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refused(400, "content_policy_violation"), "content filter"),
        (refused(401, "invalid_api_key"), "OPENAI_API_KEY"),
        (refused(404, "model_not_found"), "IMAGE_MODEL"),
        (refused(429, "insufficient_quota"), "quota"),
    ],
)
async def test_a_permanent_failure_is_not_retried(
    server: ImageServer, client: openai.AsyncOpenAI, answer: Answer, reason: str
) -> None:
    server.answers = [answer]
    with pytest.raises(ModelError, match=reason) as caught:
        await generated(client)
    assert caught.value.permanent
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [refused(429, "rate_limit_exceeded"), refused(500, "x"), refused(503, "x")])
async def test_a_temporary_failure_is_retried(server: ImageServer, client: openai.AsyncOpenAI, answer: Answer) -> None:
    server.answers = [answer, answer, sent(PNG)]
    assert await generated(client) == PNG


async def test_it_gives_up_after_the_last_attempt(server: ImageServer, client: openai.AsyncOpenAI) -> None:
    server.answers = [refused(500, "x")]
    with pytest.raises(ModelError, match="3 attempts") as caught:
        await generated(client)
    assert not caught.value.permanent
    assert len(server.requests) == generate.ATTEMPTS


async def test_an_unreachable_server_is_reported(server: ImageServer) -> None:
    async with client_of("http://127.0.0.1:9/v1") as client:
        with pytest.raises(ModelError, match="cannot be reached"):
            await generated(client)


async def test_a_cancelled_request_is_counted(model_server: ModelServer, model_client: openai.AsyncOpenAI) -> None:
    model_server.fail(hang=30)
    with metered() as usage:
        call = asyncio.create_task(generated(model_client))
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
        await generated(client)
    assert (spent.calls, spent.prompt_tokens, spent.completion_tokens) == (2, 11, 4160)


@pytest.mark.parametrize(
    ("image", "end"),
    [(PNG, ".png"), (JPEG, ".jpg"), (WEBP, ".webp"), (b"RIFF\0\0\0\0WAVE", ""), (b"GIF89a", ""), (b"", "")],
)
def test_the_file_suffix_depends_on_the_first_bytes(image: bytes, end: str) -> None:
    assert file_suffix(image) == end


# The crop for social previews


def coloured(width: int, height: int, *, noise: bool = False) -> bytes:
    """A PNG: red on the left, blue on the right; or noise that does not compress."""
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


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


@pytest.mark.parametrize(("width", "height"), [(1536, 1024), (1792, 1024), (1024, 1024), (200, 900)])
def test_the_crop_has_its_size_for_any_image(width: int, height: int) -> None:
    crop = share_crop(coloured(width, height))
    assert file_suffix(crop) == ".jpg"
    assert opened(crop).size == (1200, 630)
    assert len(crop) <= crop_module.MAX_BYTES


def test_the_crop_is_the_undistorted_centre_of_the_image() -> None:
    """Of 500 × 2000 pixels, 500 × 262.5 are left: 20 white lines in the middle become 48 of 630."""
    white, black = b"\0" + b"\xff" * 1500, b"\0" + b"\0" * 1500
    rows = b"".join(white if row < 500 or 990 <= row < 1010 else black for row in range(2000))
    crop = opened(share_crop(png(500, 2000, zlib.compress(rows))))
    assert all(crop.getpixel((600, row))[0] < 10 for row in (0, 280, 350, 629))
    assert all(crop.getpixel((600, row))[0] > 245 for row in range(300, 331))


def test_transparency_becomes_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (400, 400), (0, 0, 0, 0)).save(file, "PNG")
    assert opened(share_crop(file.getvalue())).getpixel((600, 300)) == (255, 255, 255)


def test_a_detailed_crop_is_compressed_to_the_size_limit() -> None:
    crop = share_crop(coloured(1536, 1024, noise=True))
    assert opened(crop).size == (1200, 630)
    assert len(crop) <= crop_module.MAX_BYTES


@pytest.mark.parametrize(
    "image",
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
def test_an_invalid_image_is_reported(image: bytes) -> None:
    with pytest.raises(ModelError, match="image cannot be read"):
        share_crop(image)


@pytest.mark.parametrize("size", [8_000, 30_000])
def test_an_image_with_too_many_pixels_is_not_decoded(size: int) -> None:
    with pytest.raises(ModelError, match="The maximum is 40 million"):
        share_crop(png(size, size, b""))


def test_the_built_in_cover_needs_no_crop() -> None:
    cover = draw_cover("Rooftop gardens", seed="1")
    assert share_crop(cover) == cover


# The built-in cover

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
        cover = draw_cover(title, seed=title)
        assert file_suffix(cover) == ".png"
        assert struct.unpack(">II", cover[16:24]) == (1200, 630)
        assert len(cover) < 300_000


def test_the_cover_depends_on_title_and_seed() -> None:
    assert draw_cover("Title", seed="1") == draw_cover("Title", seed="1")
    assert draw_cover("Title", seed="1") != draw_cover("Title", seed="2")
    assert draw_cover("Title", seed="1") != draw_cover("Other", seed="1")


def test_a_title_is_never_run_as_code() -> None:
    shown = cover._displayable('#panic("no") "quoted" \\ $x$')
    assert shown == '#panic("no") "quoted" \\ $x$'


def test_text_without_a_font_is_left_out_of_the_cover() -> None:
    assert cover._displayable("Grow 🌱 more") == "Grow more"
    assert cover._displayable("ᠮᠣᠩᠭᠣᠯ") == ""
