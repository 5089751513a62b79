"""Completes a conversation with one model: text or structured output, with retries, continuations and corrections.

``ChatModel`` has four layers, each with one job. ``text`` and ``structured`` make sure the answer is complete and valid.
``_complete`` reserves the budget, takes a slot and retries. ``complete_once`` finds what the server supports. ``_call`` makes one
HTTP request, streams its answer and records its cost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar

import httpx
import openai
from django.conf import settings
from pydantic import BaseModel, ValidationError

from agents.costs.budget import answer_limit, charge, reserved_cost
from agents.exceptions import FailureCode, ModelError
from agents.llm.capabilities import (
    ChatRequest,
    Message,
    ServerCapabilities,
    capabilities_of,
    remember_capabilities,
)
from agents.llm.completion import StreamedCompletion
from agents.llm.output_parsing import (
    first_json_object,
    joined,
    unfenced,
    without_last_word,
    without_partial_tag,
    without_reasoning,
)
from agents.llm.preview import DraftPreview, PreviewSink
from agents.llm.retry import ATTEMPTS, Patience, with_retries
from agents.llm.stream import read_chunks
from agents.llm.tracing import traced_call
from agents.prompts import config

log = logging.getLogger(__name__)

Schema = TypeVar("Schema", bound=BaseModel)
OnProgress = Callable[[StreamedCompletion], Awaitable[None]]

MAX_CONTINUATIONS = 4
MAX_CORRECTIONS = 2
"""Of answers that do not fit the schema. A long article has some seventy structured answers: with a model that gets one in
ten wrong, one correction would fail every second article, two fail every fifteenth."""

MAX_WITHOUT_JSON = 4
"""Answers without any JSON are more often a passing fault than a misunderstanding, so they get more attempts."""

MIN_LARGER_LIMIT = 4096  # tokens an answer may take at least when it is requested again because it was cut off
MAX_QUOTE = 4000  # characters of an invalid answer that are shown to the model again


@dataclass(frozen=True)
class ChatModel:
    """``slots`` limits the calls in flight, ``max_tokens`` the length of an answer; None leaves a parameter to the server.

    Methods raise ModelError when the model failed for good, ProviderUnavailable when it may answer later, and
    SpendingLimitReached.
    """

    model: str
    client: openai.AsyncOpenAI
    slots: asyncio.Semaphore
    temperature: float | None = None
    max_tokens: int | None = None
    attempts: int = ATTEMPTS

    async def text(self, messages: list[Message], sink: PreviewSink | None = None) -> str:
        """The complete text; ``sink`` receives it while it is generated. A text cut at the token limit is continued."""
        preview, text, request = DraftPreview(sink), "", self.request(messages)
        for _ in range(MAX_CONTINUATIONS + 1):

            async def show(completion: StreamedCompletion, before: str = text) -> None:
                if preview.is_due:
                    new = without_partial_tag(without_reasoning(completion.text))
                    await preview.show(unfenced(joined(before, new)).strip())

            completion = await self._complete(request, show)
            new = without_reasoning(completion.text)
            text = joined(text, new)
            if completion.finish_reason != "length":
                break
            if new.strip():
                text = without_last_word(text)
                request = replace(request, messages=continued(messages, text))
            else:  # reasoning took all the tokens
                request = self._with_larger_limit(request, completion)
        else:
            raise self._cut_off(f"even after {MAX_CONTINUATIONS} continuations")
        text = unfenced(text).strip()
        await preview.show(text)
        return text

    async def structured(
        self, messages: list[Message], schema: type[Schema], sink: PreviewSink | None = None
    ) -> Schema:
        """An instance of ``schema``. An invalid answer is sent back with what is wrong with it."""
        request, preview = self.request(messages, schema), DraftPreview(sink)

        async def show(completion: StreamedCompletion) -> None:
            if preview.is_due:
                await preview.show(without_reasoning(completion.text))

        invalid = without_json = 0
        while invalid <= MAX_CORRECTIONS and without_json <= MAX_WITHOUT_JSON:
            completion = await self._complete(request, show)
            if completion.finish_reason == "length":
                completion = await self._complete(self._with_larger_limit(request, completion), show)
            if completion.finish_reason == "length":
                raise self._cut_off("even with a higher limit")
            await preview.show(without_reasoning(completion.text))
            found = first_json_object(completion.text)
            if found is None:  # the server may ignore response_format silently
                known = capabilities_of(self.client, self.model)
                remember_capabilities(self.client, self.model, known.downgrade("schema_in_prompt"))
                without_json, problem = without_json + 1, "it holds no JSON object"
            else:
                try:
                    return schema.model_validate(found)
                except ValidationError as error:
                    invalid, problem = invalid + 1, problems_of(error)
            request = replace(request, messages=corrected(messages, completion.text, problem))
        raise ModelError(
            f"The model {self.model} keeps returning invalid JSON, even after corrections. Try another model.",
            code=FailureCode.MODEL_BAD_OUTPUT,
        )

    def request(self, messages: list[Message], schema: type[BaseModel] | None = None) -> ChatRequest:
        limit = answer_limit(self.model, self.max_tokens)
        return ChatRequest(self.model, messages, schema, self.temperature, limit)

    def _with_larger_limit(self, request: ChatRequest, completion: StreamedCompletion) -> ChatRequest:
        """The request with room for twice the answer. Without a limit in the request, the server's own cut it off."""
        limit = 2 * (request.max_tokens or completion.usage.completion_tokens)
        return replace(request, max_tokens=max(limit, MIN_LARGER_LIMIT))

    def _cut_off(self, when: str) -> ModelError:
        return ModelError(
            f"The answer of {self.model} was cut off at the token limit, {when}. Raise the agent's or the server's limit,"
            " or use another model.",
            code=FailureCode.MODEL_OUTPUT_TOO_LONG,
            permanent=True,
        )

    async def _complete(self, request: ChatRequest, on_progress: OnProgress) -> StreamedCompletion:
        """An answer, with as many attempts as ``agents.llm.retry`` allows.

        The money is reserved before the slot is taken: a run that waits for its spending limit must not keep others from
        calling. Neither wait counts as time of the call.
        """
        patience = Patience()

        async def attempt() -> StreamedCompletion:
            async with reserved_cost(request.model, request.size, request.max_tokens), self.slots:
                with patience.spend() as seconds:
                    return await self.complete_once(request, on_progress, seconds)

        return await with_retries(attempt, self.model, attempts=self.attempts, patience=patience)

    async def complete_once(self, request: ChatRequest, on_progress: OnProgress, seconds: float) -> StreamedCompletion:
        """One answer, using as much of the protocol as the server supports. Fails after ``seconds`` without a chunk."""
        capabilities = capabilities_of(self.client, self.model)
        while True:
            try:
                completion = await self._call(request, capabilities, on_progress, seconds)
            except openai.APIStatusError as error:
                fewer = capabilities.after_rejection(error, request)
                if fewer is None:
                    raise
                log.info("%s: request rejected (%s), sending it again with %s", self.model, error, fewer)
                capabilities = fewer
            else:
                remember_capabilities(self.client, self.model, capabilities)
                return completion

    async def _call(
        self, request: ChatRequest, capabilities: ServerCapabilities, on_progress: OnProgress, seconds: float
    ) -> StreamedCompletion:
        """One HTTP request. Records its cost however it ends."""
        completion, silence = StreamedCompletion(request.characters), min(seconds, self._timeout())
        create, body = self.client.chat.completions.with_streaming_response.create, capabilities.body(request)
        timeout = httpx.Timeout(silence, connect=min(silence, 10.0))
        with traced_call(request, self.client, completion):
            try:
                async with (
                    # In extra_body: the client takes 2 ms to compare messages with the types it knows.
                    create(model=self.model, messages=(), stream=True, extra_body=body, timeout=timeout) as response,
                    aclosing(read_chunks(response.http_response, silence)) as batches,
                ):
                    async for chunks in batches:
                        completion.add_chunks(chunks, response.http_request)
                        await on_progress(completion)
            except asyncio.CancelledError:
                completion.mark_abandoned()
                raise
            finally:
                charge(completion.usage, self.model)
            completion.raise_if_unusable()
        return completion

    def _timeout(self) -> float:
        """Seconds without data after which a call fails: the client's own limit, else LLM_TIMEOUT."""
        timeout = self.client.timeout
        seconds = timeout.read if isinstance(timeout, httpx.Timeout) else timeout
        return settings.LLM_TIMEOUT if seconds is None else seconds


def continued(messages: list[Message], text: str) -> list[Message]:
    """The conversation after ``text`` was cut off."""
    words = config("conversation")["continuation"]
    return [*messages, {"role": "assistant", "content": text.rstrip()}, {"role": "user", "content": words}]


def corrected(messages: list[Message], answer: str, problem: str) -> list[Message]:
    """The conversation after an invalid answer."""
    words = config("conversation")["correction"].format(wrong=problem)
    return [*messages, {"role": "assistant", "content": answer[:MAX_QUOTE]}, {"role": "user", "content": words}]


def problems_of(error: ValidationError) -> str:
    """What is wrong with an answer, without repeating its content."""
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}" for e in error.errors()[:5])
