"""The picture of an article: drawn by a model over the OpenAI images API, or a typographic cover the studio sets itself."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
import logging
import re
import textwrap
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import typst

from agents.contract import Shape
from agents.costs.budget import afforded, spend
from agents.costs.usage import Usage
from agents.exceptions import ModelError
from agents.llm.errors import diagnose

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

log = logging.getLogger(__name__)

TRIES = 3
MAX_BYTES = 20 * 1024 * 1024
# What each family draws across; servers of one's own take what OpenAI's newest does.
WIDE = {"dall-e-3": "1792x1024", "dall-e-2": "1024x1024"}
WIDE_BY_DEFAULT = "1536x1024"

CARD = (1200, 630)
CARD_BYTES = 600 * 1024  # messengers show no larger picture with a link
CARD_QUALITIES = (88, 70, 50, 30)
MOST_PIXELS = 40_000_000  # a picture takes four bytes each in memory, however small its file is

COVER = Path(__file__).with_name("cover.typ")
COVER_WORDS = 120  # characters of a title that are set; more would be too small to read
COVER_NUMBERS = 73  # one for the palette, one for each tile of a mosaic without a title
MISSING = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)


async def draw(
    prompt: str, *, client: openai.AsyncOpenAI, model: str, fetch: Callable[[str], Awaitable[bytes]], size: str = ""
) -> bytes:
    """A PNG, JPEG or WebP of at most 20 MB. ``size`` is ``1536x1024`` and the like; empty: what suits the model.

    A server may answer with an address instead of a picture; ``fetch`` gets it, and must be one that refuses private
    addresses. Raises ModelError, and what ``fetch`` raises.
    """
    for attempt in range(1, TRIES + 1):
        try:
            async with afforded(model, len(prompt.encode())):
                answer = await _ask(prompt, client, model, size or WIDE.get(model, WIDE_BY_DEFAULT))
            return await _picture(answer, fetch)
        except (openai.APIError, ValueError) as error:
            fault = diagnose(error, model)
            if fault is None:
                raise
            if fault.permanent or attempt == TRIES:
                # The same faults as a text model's, but another setting names this one.
                reason = fault.told(attempt).replace("LLM_MODEL", "IMAGE_MODEL")
                raise ModelError(reason, permanent=fault.permanent) from error
            log.warning("%s: %s; trying again", model, fault.reason)
            await asyncio.sleep(fault.pause(attempt))
    raise AssertionError("the loop returns or raises")


def suffix(picture: bytes) -> str:
    """The end of the file name, ``.png``, ``.jpg`` or ``.webp``, by the picture's first bytes; empty for anything else."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if picture.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return ".webp"
    return ""


class Image(Shape):
    b64_json: str | None = None
    url: str | None = None


class Tokens(Shape):
    input_tokens: int = 0
    output_tokens: int = 0


class Answered(Shape):
    """What the images API answers. The client passes on whatever a server sends, so it is checked here."""

    data: list[Image] | None = None
    usage: Tokens | None = None


async def _ask(prompt: str, client: openai.AsyncOpenAI, model: str, size: str) -> Answered:
    """One call, counted however it ends. Which form the picture comes in is left to the server: some models refuse to be told."""
    usage = Usage(calls=1)
    try:
        response = await client.images.with_raw_response.generate(
            prompt=prompt,
            model=model,
            n=1,
            size=size,
        )
        answer = Answered.model_validate_json(response.content)
        usage.pictures = len(answer.data or [])
        if answer.usage:
            usage.prompt_tokens, usage.completion_tokens = answer.usage.input_tokens, answer.usage.output_tokens
    except asyncio.CancelledError:
        usage.pictures = 1  # it is drawn and paid for all the same
        raise
    finally:
        spend(usage, model)
    return answer


async def _picture(answer: Answered, fetch: Callable[[str], Awaitable[bytes]]) -> bytes:
    """The picture's bytes, however the server sent them."""
    image = answer.data[0] if answer.data else Image()
    if image.b64_json:
        picture = _decoded(image.b64_json)
    elif image.url:
        picture = _decoded(image.url) if image.url.startswith("data:") else await fetch(image.url)
    else:
        raise ModelError("The image model answered without a picture. Try again, or use another IMAGE_MODEL.")
    if len(picture) > MAX_BYTES:
        raise ModelError(
            f"The picture is larger than {MAX_BYTES // 1024**2} MB. Use another IMAGE_MODEL.", permanent=True
        )
    if not suffix(picture):
        raise ModelError("What the image model sent is no PNG, JPEG or WebP. Use another IMAGE_MODEL.", permanent=True)
    return picture


def _decoded(text: str) -> bytes:
    """Base64, with or without the head of a ``data:`` address."""
    try:
        return base64.b64decode(text.rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise ModelError("The image model's answer is garbled. Try again, or use another IMAGE_MODEL.") from error


# The picture of a card that links to the article


def share_crop(picture: bytes) -> bytes:
    """The middle of ``picture`` as a JPEG of 1200 × 630 and at most 600 KB; what has that size and weight stays as it is.

    Raises ModelError for what is no picture, or too large a one.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(picture), formats=("PNG", "JPEG", "WEBP")) as image:
            if image.size == CARD and len(picture) <= CARD_BYTES:
                image.load()
                return picture
            if image.width * image.height > MOST_PIXELS:
                raise too_large(f"The picture has {image.width} × {image.height} dots")
            card = ImageOps.fit(on_white(image), CARD)
    except Image.DecompressionBombError as error:  # Pillow's own bound, which it looks at first
        raise too_large("The picture has far too many dots") from error
    except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises for hostile bytes
        raise ModelError("The picture cannot be read. Try again, or use another IMAGE_MODEL.") from error
    for quality in CARD_QUALITIES:
        file = BytesIO()
        card.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        if file.tell() <= CARD_BYTES:
            break
    return file.getvalue()


def too_large(fault: str) -> ModelError:
    return ModelError(
        f"{fault}, and {MOST_PIXELS // 1_000_000} million are the most. Use another IMAGE_MODEL.", permanent=True
    )


def on_white(image: Pixels) -> Pixels:
    """``image`` with what is transparent in it shown on white: JPEG knows no transparency.

    Most have nothing transparent, and are spared three copies of 4 MB each.
    """
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    sheet = Image.new("RGBA", image.size, "white")
    sheet.alpha_composite(image)
    return sheet.convert("RGB")


# The studio's own cover


def draw_cover(title: str, subtitle: str = "", *, seed: str) -> bytes:
    """A PNG of 1200 × 630: the title beside a mosaic that ``seed`` decides, so that an article keeps its cover.

    Words that no font of this machine can show are left out rather than drawn as boxes. Takes a tenth of a second of CPU.
    """
    numbers = [int.from_bytes(pair) for pair in _pairs(hashlib.shake_256(seed.encode()).digest(2 * COVER_NUMBERS))]
    told = {
        "title": _showable(_breakable(textwrap.shorten(title, COVER_WORDS, placeholder=" …"))),
        "subtitle": _showable(textwrap.shorten(subtitle, 60, placeholder=" …")),
        "numbers": json.dumps(numbers),
    }
    picture = typst.Compiler(COVER.read_bytes(), sys_inputs=told).compile(format="png", ppi=72)
    if not isinstance(picture, bytes):
        raise TypeError("a cover has one page")
    return picture


def _pairs(digest: bytes) -> list[bytes]:
    return [digest[place : place + 2] for place in range(0, len(digest), 2)]


def _breakable(title: str) -> str:
    """The title with places to break in words too long for a line: a zero-width space every 20 letters."""
    return " ".join("\u200b".join(textwrap.wrap(word, 20)) if len(word) > 30 else word for word in title.split())


def _showable(words: str) -> str:
    """The words without ornaments that no font has; nothing at all where a letter is missing."""
    while words:
        # PDF/UA is the one kind of output that makes a missing letter an error.
        probe = typst.Compiler(b'#set document(title: "cover")\n#sys.inputs.words', sys_inputs={"words": words})
        try:
            probe.compile(format="pdf", pdf_standards=["ua-1"])
        except typst.TypstError as error:
            found = MISSING.search(str(error))
            if found is None:
                raise
            # The sign with what joins it to its neighbours. Where a letter is missing the rest would be a riddle.
            left = re.sub(f"\u200d?{re.escape(found[1])}[\u200d\ufe0f]*", "", words)
            words = "" if found[1].isalnum() or left == words else " ".join(left.split())
        else:
            break
    return words
