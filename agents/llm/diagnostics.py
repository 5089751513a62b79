"""Checks of the model server and the search for ``manage.py doctor``.

Models are called through ``ChatModel``, as the crew calls them, so the checks report what the crew will experience.
"""

from __future__ import annotations

import asyncio
import time

import openai
from django.conf import settings
from openai import AsyncOpenAI

from agents.contract import HealthCheck, LLMOutput, StoredModel
from agents.exceptions import ModelError, SearchFailed
from agents.llm.capabilities import RESPONSE_FORMATS, TEMPERATURES, TOKEN_LIMITS, ServerCapabilities, capabilities_of
from agents.llm.chat import ChatModel
from agents.llm.completion import StreamedCompletion
from agents.llm.errors import diagnose
from agents.research.search import Search

SERVER, IMAGE, SEARCH = "Model server", "Image model", "Search"
SEARCH_ADVICE = "Until it works, articles use only the sources of their brief."
NO_EFFECT = "Not supported: an agent's setting has no effect."

TEMPERATURE = 0.5
MAX_TOKENS = 2000  # reasoning models use some before they write anything


class Model(StoredModel):
    id: str


class ModelList(StoredModel):
    """The part of ``GET /models`` that is used."""

    data: list[Model]


class Word(LLMOutput):
    """The smallest structured answer."""

    word: str


# The model


async def probe_model(client: AsyncOpenAI, *, models: set[str], image_model: str) -> list[HealthCheck]:
    """Do ``models`` answer, stream and follow a schema, and does the server have ``image_model``?

    Spends a few tokens per model and generates no image. ``client`` must not retry.
    """
    reached, offered = await check_server(client)
    if reached.state == "error":
        return [reached]
    found = await asyncio.gather(*(check_model(client, model) for model in sorted(models)))
    return [reached, *(check for checks in found for check in checks), check_image_model(image_model, offered)]


async def check_server(client: AsyncOpenAI) -> tuple[HealthCheck, set[str] | None]:
    """Also the ids of the models it lists, or None if it has no list."""
    try:
        answer = await client.models.with_raw_response.list()
        # Parsed here: the client accepts any response as the list, even an HTML page.
        offered = {model.id for model in ModelList.model_validate_json(answer.content).data}
    except openai.NotFoundError:
        return HealthCheck(SERVER, "ok", f"{client.base_url} responds, but has no list of models."), None
    except Exception as error:
        return failed_check(SERVER, error, "any model"), None
    return HealthCheck(SERVER, "ok", f"{client.base_url} responds and lists {len(offered)} models."), offered


async def check_model(client: AsyncOpenAI, model: str) -> list[HealthCheck]:
    """Requests a short text and, if one comes, a short structured answer, and reports what the two showed of the server."""
    chat = ChatModel(model, client, asyncio.Semaphore(1), TEMPERATURE, MAX_TOKENS, attempts=1)
    arrivals, started = list[float](), time.monotonic()

    async def note_arrival(completion: StreamedCompletion) -> None:
        arrivals.append(time.monotonic() - started)

    try:
        request = chat.request([{"role": "user", "content": "Reply with the single word: ready"}])
        completion = await chat.complete_once(request, note_arrival, settings.LLM_PATIENCE)
    except Exception as error:
        return [failed_check("chat", error, model, subject=model)]
    words = f"It streams. The first words came after {arrivals[0]:.1f} s."
    streams = HealthCheck("chat", "ok", words, subject=model)
    schema = await check_schema(chat)
    capabilities = capabilities_of(client, model)
    return [
        streams,
        schema,
        check_usage(model, reported=completion.usage_reported),
        check_temperature(model, capabilities),
        check_token_limit(model, capabilities),
    ]


async def check_schema(chat: ChatModel) -> HealthCheck:
    """Outlines, reviews and SEO are requested by schema."""
    name = "JSON schema"
    try:
        await chat.structured([{"role": "user", "content": "Give the word: ready"}], Word)
    except ModelError as error:
        return HealthCheck(
            name, "error", str(error), "Outlines and reviews will fail. Use another LLM_MODEL.", subject=chat.model
        )
    used = RESPONSE_FORMATS[capabilities_of(chat.client, chat.model).response_format]
    if used == "json_schema":
        return HealthCheck(name, "ok", "The answer followed the schema.", subject=chat.model)
    instead = f"response_format {used} and the schema in the prompt" if used else "the schema in the prompt"
    action = "Articles work. A server with response_format json_schema needs fewer corrections."
    return HealthCheck(name, "warning", f"Not supported: {instead} is used instead.", action, subject=chat.model)


def check_usage(model: str, *, reported: bool) -> HealthCheck:
    name = "token counts"
    if reported:
        return HealthCheck(name, "ok", "Reported at the end of a stream.", subject=model)
    action = "Costs and spending limits are estimates."
    return HealthCheck(
        name, "warning", "Not reported: tokens are estimated at four characters each.", action, subject=model
    )


def check_temperature(model: str, capabilities: ServerCapabilities) -> HealthCheck:
    name = "temperature"
    if TEMPERATURES[capabilities.temperature]:
        return HealthCheck(name, "ok", "Supported.", subject=model)
    return HealthCheck(name, "warning", NO_EFFECT, "Leave the temperature empty for this model.", subject=model)


def check_token_limit(model: str, capabilities: ServerCapabilities) -> HealthCheck:
    name = "token limit"
    if parameter := TOKEN_LIMITS[capabilities.token_limit]:
        return HealthCheck(name, "ok", f"Supported, as {parameter}.", subject=model)
    return HealthCheck(name, "warning", NO_EFFECT, "Leave the token limit empty for this model.", subject=model)


def failed_check(name: str, error: Exception, model: str, *, subject: str = "") -> HealthCheck:
    """The check of a call that failed. Raises ``error`` if the server is not to blame for it."""
    fault = diagnose(error, model)
    if fault is None:
        raise error
    return HealthCheck(name, "error", fault.reason, subject=subject)


def check_image_model(model: str, offered: set[str] | None) -> HealthCheck:
    if not model:
        return HealthCheck(IMAGE, "ok", "None is set: the studio draws covers itself.")
    if offered is None:
        return HealthCheck(IMAGE, "ok", f"{model} is set. The first article will show whether the server has it.")
    if model not in offered:
        action = "Set IMAGE_MODEL to one the server lists, or leave it empty: the studio then draws covers itself."
        return HealthCheck(
            IMAGE, "warning", f"The server does not list {model}, so articles will have no image.", action
        )
    return HealthCheck(IMAGE, "ok", f"{model} is listed. No picture was drawn, because that costs money.")


# The search


async def probe_search(search: Search, *, seconds: float = 8.0) -> HealthCheck:
    """One small query. A failure is a warning: articles are written without search, and say so."""
    if search.name == "none":
        action = "Set SEARCH_PROVIDER=auto to find more sources."
        return HealthCheck(SEARCH, "warning", "Off: only the sources of the brief are read.", action)
    try:
        hits = await asyncio.wait_for(search.search("history of printing", 3), seconds)
    except TimeoutError:
        return HealthCheck(
            SEARCH, "warning", f"{search.name} did not respond within {seconds:g} seconds.", SEARCH_ADVICE
        )
    except SearchFailed as error:
        return HealthCheck(SEARCH, "warning", str(error), SEARCH_ADVICE)
    if not hits:
        return HealthCheck(SEARCH, "warning", f"{search.name} responded, but found nothing.", SEARCH_ADVICE)
    return HealthCheck(SEARCH, "ok", f"{search.name} responds.")
