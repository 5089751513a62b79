"""Asks the model's server and the search what an article will ask of them, before one depends on it.

Each answer is a :class:`~agents.contract.HealthCheck` that says what was found and, where that is not well, what to do. The
models are asked through :class:`~agents.llm.chat.Endpoint`, as the crew asks them, so what is told here is what the crew will do.
"""

from __future__ import annotations

import asyncio
import time

import openai
from django.conf import settings
from openai import AsyncOpenAI

from agents.contract import HealthCheck, LLMOutput, StoredModel
from agents.exceptions import ModelError, SearchFailed
from agents.llm.capabilities import FORMS, LIMITS, TEMPERATURES, ServerCapabilities, known
from agents.llm.chat import Endpoint
from agents.llm.completion import StreamedCompletion
from agents.llm.errors import diagnose
from agents.research.search import Search

SERVER, IMAGE, SEARCH = "Model server", "Image model", "Search"
SEARCH_ADVICE = "Until it answers, articles rest on the brief's own sources alone."

TEMPERATURE = 0.5
MOST_TOKENS = 2000  # reasoning models think before they say a word


class Model(StoredModel):
    id: str


class Models(StoredModel):
    """``GET /models``, as far as it is of interest."""

    data: list[Model]


class Word(LLMOutput):
    """The smallest answer that has to keep to a schema."""

    word: str


# The model


async def probe_model(client: AsyncOpenAI, *, models: set[str], image_model: str) -> list[HealthCheck]:
    """Do ``models`` answer, stream and keep to a schema, and is ``image_model`` offered?

    A few tokens are spent on each model; no picture is drawn. ``client`` must not try anything twice by itself.
    """
    reached, offered = await reach(client)
    if reached.verdict == "fail":
        return [reached]
    found = await asyncio.gather(*(check_model(client, model) for model in sorted(models)))
    return [reached, *(check for checks in found for check in checks), check_image_model(image_model, offered)]


async def reach(client: AsyncOpenAI) -> tuple[HealthCheck, set[str] | None]:
    """Ask for the list of models: the ids it holds, None where the server keeps no such list."""
    try:
        answer = await client.models.with_raw_response.list()
        # Read by a shape of ours: the client takes any answer, also a page in HTML, for the list it asked for.
        offered = {model.id for model in Models.model_validate_json(answer.content).data}
    except openai.NotFoundError:
        return HealthCheck(SERVER, "ok", f"{client.base_url} answers, but keeps no list of its models."), None
    except Exception as error:
        return refused(SERVER, error, "any model"), None
    return HealthCheck(SERVER, "ok", f"{client.base_url} answers. Models it offers: {len(offered)}."), offered


async def check_model(client: AsyncOpenAI, model: str) -> list[HealthCheck]:
    """A tiny text and, where one comes, a tiny answer in form; then what the two taught of the server."""
    endpoint = Endpoint(model, client, asyncio.Semaphore(1), TEMPERATURE, MOST_TOKENS, tries=1)
    heard, began = list[float](), time.monotonic()

    async def watch(said: StreamedCompletion) -> None:
        heard.append(time.monotonic() - began)

    try:
        question = endpoint.question([{"role": "user", "content": "Reply with the single word: ready"}])
        said = await endpoint.once(question, watch, patience=settings.LLM_PATIENCE)
    except Exception as error:
        return [refused(f"{model}, chat", error, model)]
    chat = HealthCheck(f"{model}, chat", "ok", f"It streams: its first words came after {heard[0]:.1f} s.")
    form = await check_form(endpoint)
    dialect = known(client, model)
    return [
        chat,
        form,
        check_counts(model, counted=said.counted),
        check_temperature(model, dialect),
        check_limit(model, dialect),
    ]


async def check_form(endpoint: Endpoint) -> HealthCheck:
    """Outlines, reviews and SEO are asked for by schema."""
    name = f"{endpoint.model}, JSON schema"
    try:
        await endpoint.in_form([{"role": "user", "content": "Give the word: ready"}], Word)
    except ModelError as error:
        return HealthCheck(name, "fail", str(error), "Outlines and reviews will fail. Choose another LLM_MODEL.")
    form = FORMS[known(endpoint.client, endpoint.model).form]
    if form == "json_schema":
        return HealthCheck(name, "ok", "The answer kept to the schema.")
    asked = f"response_format {form} with the schema" if form else "the schema"
    advice = "Articles work; with response_format json_schema fewer answers would have to be mended."
    return HealthCheck(name, "warn", f"It does not take one. The studio puts {asked} into the prompt.", advice)


def check_counts(model: str, *, counted: bool) -> HealthCheck:
    name = f"{model}, tokens counted"
    if counted:
        return HealthCheck(name, "ok", "It tells at the end of a stream what it used.")
    advice = "Costs and spending limits are estimates, too."
    return HealthCheck(name, "warn", "It does not tell them: the studio reckons with four characters a token.", advice)


def check_temperature(model: str, dialect: ServerCapabilities) -> HealthCheck:
    name = f"{model}, temperature"
    if TEMPERATURES[dialect.temperature]:
        return HealthCheck(name, "ok", "It takes one.")
    return HealthCheck(
        name, "warn", "It takes none: what is set for an agent has no effect.", "Leave it empty for this model."
    )


def check_limit(model: str, dialect: ServerCapabilities) -> HealthCheck:
    name = f"{model}, limit of tokens"
    if limit := LIMITS[dialect.limit]:
        return HealthCheck(name, "ok", f"It takes one, as {limit}.")
    return HealthCheck(
        name, "warn", "It takes none: what is set for an agent has no effect.", "Leave it empty for this model."
    )


def refused(name: str, error: Exception, model: str) -> HealthCheck:
    """The check for a call that failed. Raises what is not the server's fault, but a mistake of ours."""
    fault = diagnose(error, model)
    if fault is None:
        raise error
    return HealthCheck(name, "fail", fault.reason)


def check_image_model(model: str, offered: set[str] | None) -> HealthCheck:
    if not model:
        return HealthCheck(IMAGE, "ok", "None is set: the studio draws covers itself.")
    if offered is None:
        return HealthCheck(IMAGE, "ok", f"{model} is set. The first article will show whether the server has it.")
    if model not in offered:
        advice = "Set IMAGE_MODEL to one it offers, or to nothing: the studio then draws covers itself."
        return HealthCheck(IMAGE, "warn", f"The server does not offer {model}, so articles will have no image.", advice)
    return HealthCheck(IMAGE, "ok", f"{model} is offered. No picture was drawn, as that costs money.")


# The search


async def probe_search(search: Search, *, seconds: float = 8.0) -> HealthCheck:
    """One small query. A search that is away is a warning: an article does without it, and says so."""
    if search.name == "none":
        advice = "Set SEARCH_PROVIDER=auto for articles that rest on more than that."
        return HealthCheck(SEARCH, "warn", "It is switched off: only the sources of the brief are read.", advice)
    try:
        hits = await asyncio.wait_for(search.search("history of printing", 3), seconds)
    except TimeoutError:
        return HealthCheck(SEARCH, "warn", f"{search.name}: no answer within {seconds:g} seconds.", SEARCH_ADVICE)
    except SearchFailed as error:
        return HealthCheck(SEARCH, "warn", str(error), SEARCH_ADVICE)
    if not hits:
        return HealthCheck(SEARCH, "warn", f"{search.name} answered, but found nothing.", SEARCH_ADVICE)
    return HealthCheck(SEARCH, "ok", f"{search.name} answers.")
