"""Asks the model's server and the search what an article will ask of them, before one depends on it.

Each answer is a :class:`~agents.contract.Check` that says what was found and, where that is not well, what to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import openai
from openai import AsyncOpenAI
from openai.types.shared_params import ResponseFormatJSONSchema
from pydantic import ValidationError

from agents.contract import Answer, Check, Shape
from agents.exceptions import SearchFailed
from agents.faults import diagnose
from agents.research.search import Search

SERVER, IMAGE, SEARCH = "Model server", "Image model", "Search"
SEARCH_ADVICE = "Until it answers, articles rest on the brief's own sources alone."


class Model(Shape):
    id: str


class Models(Shape):
    """``GET /models``, as far as it is of interest."""

    data: list[Model]


class Word(Answer):
    """The smallest answer that has to keep to a schema."""

    word: str


WORD: ResponseFormatJSONSchema = {
    "type": "json_schema",
    "json_schema": {"name": "Word", "strict": True, "schema": Word.model_json_schema()},
}


# The model


async def probe_model(client: AsyncOpenAI, *, models: set[str], image_model: str) -> list[Check]:
    """Do ``models`` answer, stream and keep to a schema, and is ``image_model`` offered?

    A few tokens are spent on each model; no picture is drawn. ``client`` must not try anything twice by itself.
    """
    reached, offered = await reach(client)
    if reached.verdict == "fail":
        return [reached]
    found = await asyncio.gather(*(check_model(client, model) for model in sorted(models)))
    return [reached, *(check for checks in found for check in checks), check_image_model(image_model, offered)]


async def reach(client: AsyncOpenAI) -> tuple[Check, set[str] | None]:
    """Ask for the list of models: the ids it holds, None where the server keeps no such list."""
    try:
        answer = await client.models.with_raw_response.list()
        # Read by a shape of ours: the client takes any answer, also a page in HTML, for the list it asked for.
        offered = {model.id for model in Models.model_validate_json(answer.content).data}
    except openai.NotFoundError:
        return Check(SERVER, "ok", f"{client.base_url} answers, but keeps no list of its models."), None
    except Exception as error:
        return refused(SERVER, error, "any model"), None
    return Check(SERVER, "ok", f"{client.base_url} answers. Models it offers: {len(offered)}."), offered


async def check_model(client: AsyncOpenAI, model: str) -> list[Check]:
    """A tiny chat; where that is answered, another as a stream, and one whose answer has to keep to a schema."""
    chat = await attempt(f"{model}, chat", model, lambda: chats(client, model))
    if chat.verdict == "fail":
        return [chat]
    rest = await asyncio.gather(
        attempt(f"{model}, streaming", model, lambda: streams(client, model)),
        attempt(f"{model}, JSON schema", model, lambda: keeps_schema(client, model)),
    )
    return [chat, *rest]


async def attempt(name: str, model: str, ask: Callable[[], Awaitable[str]]) -> Check:
    """What ``ask`` found, in a sentence, or why it could not be asked."""
    try:
        return Check(name, "ok", await ask())
    except Unfit as unfit:
        return Check(name, "fail", unfit.finding, unfit.advice)
    except Exception as error:
        return refused(name, error, model)


def refused(name: str, error: Exception, model: str) -> Check:
    """The check for a call that failed. Raises what is not the server's fault, but a mistake of ours."""
    fault = diagnose(error, model)
    if fault is None:
        raise error
    return Check(name, "fail", fault.reason)


class Unfit(Exception):
    """The server answered, but not in a way the crew can work with."""

    def __init__(self, finding: str, advice: str) -> None:
        super().__init__(finding)
        self.finding, self.advice = finding, advice


async def chats(client: AsyncOpenAI, model: str) -> str:
    began = time.monotonic()
    answer = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Reply with the single word: ready"}]
    )
    if not answer.choices or not answer.choices[0].message.content:
        raise Unfit("The answer was empty.", "Choose another LLM_MODEL, or raise the server's limit of tokens.")
    return f"It answered in {time.monotonic() - began:.1f} s."


async def streams(client: AsyncOpenAI, model: str) -> str:
    """The crew streams every call, and asks for the count of tokens at its end."""
    began, first = time.monotonic(), 0.0
    stream = await client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Count from one to five, in words"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async with stream:
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                first = first or time.monotonic() - began
    if not first:
        raise Unfit("The stream held no text.", "Look for the server's switch for streaming, or use another server.")
    return f"The first token came after {first:.1f} s."


async def keeps_schema(client: AsyncOpenAI, model: str) -> str:
    """Outlines, reviews and SEO are asked for by schema."""
    answer = await client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Give the word: ready"}], response_format=WORD
    )
    try:
        Word.model_validate_json((answer.choices[0].message.content if answer.choices else "") or "")
    except ValidationError as error:
        raise Unfit(
            "The answer did not keep to the schema, so outlines and reviews will fail.",
            "Choose an LLM_MODEL and a server that support response_format json_schema.",
        ) from error
    return "The answer kept to the schema."


def check_image_model(model: str, offered: set[str] | None) -> Check:
    if not model:
        return Check(IMAGE, "ok", "None is set: the studio draws covers itself.")
    if offered is None:
        return Check(IMAGE, "ok", f"{model} is set. The first article will show whether the server has it.")
    if model not in offered:
        advice = "Set IMAGE_MODEL to one it offers, or to nothing: the studio then draws covers itself."
        return Check(IMAGE, "warn", f"The server does not offer {model}, so articles will have no image.", advice)
    return Check(IMAGE, "ok", f"{model} is offered. No picture was drawn, as that costs money.")


# The search


async def probe_search(search: Search, *, seconds: float = 8.0) -> Check:
    """One small query. A search that is away is a warning: an article does without it, and says so."""
    if search.name == "none":
        advice = "Set SEARCH_PROVIDER=auto for articles that rest on more than that."
        return Check(SEARCH, "warn", "It is switched off: only the sources of the brief are read.", advice)
    try:
        hits = await asyncio.wait_for(search.search("history of printing", 3), seconds)
    except TimeoutError:
        return Check(SEARCH, "warn", f"{search.name}: no answer within {seconds:g} seconds.", SEARCH_ADVICE)
    except SearchFailed as error:
        return Check(SEARCH, "warn", str(error), SEARCH_ADVICE)
    if not hits:
        return Check(SEARCH, "warn", f"{search.name} answered, but found nothing.", SEARCH_ADVICE)
    return Check(SEARCH, "ok", f"{search.name} answers.")
