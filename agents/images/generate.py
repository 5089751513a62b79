"""The picture of an article: drawn by a model over the OpenAI images API, or a typographic cover the studio sets itself."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable

import openai

from agents.contract import StoredModel
from agents.costs.budget import charge, reserved_cost
from agents.costs.usage import Usage
from agents.exceptions import ImageError, ModelError
from agents.llm.retry import with_retries

ATTEMPTS = 3
MAX_BYTES = 20 * 1024 * 1024
# What each family draws across; servers of one's own take what OpenAI's newest does.
WIDE = {"dall-e-3": "1792x1024", "dall-e-2": "1024x1024"}
WIDE_BY_DEFAULT = "1536x1024"


async def draw(
    prompt: str, *, client: openai.AsyncOpenAI, model: str, fetch: Callable[[str], Awaitable[bytes]], size: str = ""
) -> bytes:
    """A PNG, JPEG or WebP of at most 20 MB. ``size`` is ``1536x1024`` and the like; empty: what suits the model.

    A server may answer with an address instead of a picture; ``fetch`` gets it, and must be one that refuses private
    addresses. Raises ImageError, and what ``fetch`` raises.
    """

    async def attempt() -> bytes:
        async with reserved_cost(model, len(prompt.encode())):
            answer = await _ask(prompt, client, model, size or WIDE.get(model, WIDE_BY_DEFAULT))
        return await _picture(answer, fetch)

    try:
        return await with_retries(attempt, model, attempts=ATTEMPTS, setting="IMAGE_MODEL")
    except ImageError:
        raise
    except ModelError as error:
        raise ImageError(str(error), permanent=error.permanent) from error


def suffix(picture: bytes) -> str:
    """The end of the file name, ``.png``, ``.jpg`` or ``.webp``, by the picture's first bytes; empty for anything else."""
    if picture.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if picture.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return ".webp"
    return ""


class Image(StoredModel):
    b64_json: str | None = None
    url: str | None = None


class Tokens(StoredModel):
    input_tokens: int = 0
    output_tokens: int = 0


class Answered(StoredModel):
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
        charge(usage, model)
    return answer


async def _picture(answer: Answered, fetch: Callable[[str], Awaitable[bytes]]) -> bytes:
    """The picture's bytes, however the server sent them."""
    image = answer.data[0] if answer.data else Image()
    if image.b64_json:
        picture = _decoded(image.b64_json)
    elif image.url:
        picture = _decoded(image.url) if image.url.startswith("data:") else await fetch(image.url)
    else:
        raise ImageError("The image model answered without a picture. Try again, or use another IMAGE_MODEL.")
    if len(picture) > MAX_BYTES:
        raise ImageError(
            f"The picture is larger than {MAX_BYTES // 1024**2} MB. Use another IMAGE_MODEL.", permanent=True
        )
    if not suffix(picture):
        raise ImageError("What the image model sent is no PNG, JPEG or WebP. Use another IMAGE_MODEL.", permanent=True)
    return picture


def _decoded(text: str) -> bytes:
    """Base64, with or without the head of a ``data:`` address."""
    try:
        return base64.b64decode(text.rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise ImageError("The image model's answer is garbled. Try again, or use another IMAGE_MODEL.") from error


# The picture of a card that links to the article


# The studio's own cover
