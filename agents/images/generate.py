"""Generates an image with a model, over the OpenAI images API."""

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
from agents.llm.tracing import traced_image

ATTEMPTS = 3
MAX_BYTES = 20 * 1024 * 1024
# The widest size of each model; other models, also of own servers, take the size of OpenAI's newest ones.
SIZES = {"dall-e-3": "1792x1024", "dall-e-2": "1024x1024"}
DEFAULT_SIZE = "1536x1024"


async def generate_image(
    prompt: str, *, client: openai.AsyncOpenAI, model: str, fetch: Callable[[str], Awaitable[bytes]]
) -> bytes:
    """A PNG, JPEG or WebP of at most 20 MB.

    If the server answers with a URL, ``fetch`` downloads it; it must refuse private addresses. Raises ImageError, and what
    ``fetch`` raises.
    """

    async def attempt() -> bytes:
        async with reserved_cost(model, len(prompt.encode())):
            response = await _request(prompt, client, model)
        return await _image_bytes(response, fetch)

    try:
        return await with_retries(attempt, model, attempts=ATTEMPTS, setting="IMAGE_MODEL")
    except ImageError:
        raise
    except ModelError as error:
        raise ImageError(str(error), permanent=error.permanent) from error


def file_suffix(image: bytes) -> str:
    """``.png``, ``.jpg`` or ``.webp``, by the first bytes; empty for anything else."""
    if image.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if image.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return ".webp"
    return ""


class ImageData(StoredModel):
    b64_json: str | None = None
    url: str | None = None


class TokenUsage(StoredModel):
    input_tokens: int = 0
    output_tokens: int = 0


class ImagesResponse(StoredModel):
    """The body of a response, validated here because the client does not."""

    data: list[ImageData] | None = None
    usage: TokenUsage | None = None


async def _request(prompt: str, client: openai.AsyncOpenAI, model: str) -> ImagesResponse:
    """One call, counted whether it succeeds or not. It sends no ``response_format``, which some models refuse."""
    usage = Usage(calls=1)
    with traced_image(model, client, prompt, usage):
        try:
            raw = await client.images.with_raw_response.generate(
                prompt=prompt, model=model, n=1, size=SIZES.get(model, DEFAULT_SIZE)
            )
            response = ImagesResponse.model_validate_json(raw.content)
            usage.pictures = len(response.data or [])
            if response.usage:
                usage.prompt_tokens = response.usage.input_tokens
                usage.completion_tokens = response.usage.output_tokens
        except asyncio.CancelledError:
            usage.pictures = 1  # the provider generates and charges it anyway
            raise
        finally:
            charge(usage, model)
    return response


async def _image_bytes(response: ImagesResponse, fetch: Callable[[str], Awaitable[bytes]]) -> bytes:
    data = response.data[0] if response.data else ImageData()
    if data.b64_json:
        image = _decoded(data.b64_json)
    elif data.url:
        image = _decoded(data.url) if data.url.startswith("data:") else await fetch(data.url)
    else:
        raise ImageError("The image model returned no image. Try again, or use another IMAGE_MODEL.")
    if len(image) > MAX_BYTES:
        raise ImageError(
            f"The image is larger than {MAX_BYTES // 1024**2} MB. Use another IMAGE_MODEL.", permanent=True
        )
    if not file_suffix(image):
        raise ImageError("The image is not a PNG, JPEG or WebP. Use another IMAGE_MODEL.", permanent=True)
    return image


def _decoded(text: str) -> bytes:
    """Decodes Base64, with or without the head of a ``data:`` URL."""
    try:
        return base64.b64decode(text.rpartition(",")[2], validate=True)
    except binascii.Error as error:
        raise ImageError("The image model returned invalid data. Try again, or use another IMAGE_MODEL.") from error
