"""The model boundary: one CrewAI LLM over the openai client, for any server that speaks its protocol.

Streams every call, so that a silent server is noticed; counts what every call cost, of use or not; is the only layer that
tries again. CrewAI's wrapper and the client's own retries are off, because three layers multiply.
"""

from __future__ import annotations

import agents.crewai_home  # noqa: F401  (first: it decides where CrewAI writes)

# isort: split
import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import openai
from crewai import BaseLLM
from pydantic import BaseModel, PrivateAttr, ValidationError

from agents.exceptions import ModelError
from agents.faults import Fault, cut_stream, diagnose, empty_answer, finished_badly
from agents.usage import Usage, spend

log = logging.getLogger(__name__)

TRIES = 4
REPAIRS = 2
DRAFT_SECONDS = 0.1
WHOLE_DRAFT_SECONDS = 3.0

Message = dict[str, Any]
Draft = Callable[[int, str], Awaitable[None]]

draft_sink: ContextVar[Draft | None] = ContextVar("draft_sink", default=None)
"""Where the text of the call being made is shown as it comes: ``await sink(offset, text)``, offset in characters."""


def ours_alone(method: Any) -> Any:
    """Keep CrewAI from wrapping ``acall`` in a retry of its own (it looks for this mark)."""
    method._crewai_rate_limit_wrapped = True
    return method


class StudioLLM(BaseLLM):
    """A model behind ``POST {base_url}/chat/completions``.

    Raises ModelError, with a reason for a person, where it failed for good.
    """

    _client: openai.AsyncOpenAI = PrivateAttr()
    _slots: asyncio.Semaphore = PrivateAttr()

    def __init__(self, *, model: str, client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> None:
        super().__init__(model=model)
        self._client, self._slots = client, slots

    def call(self, *args: Any, **kwargs: Any) -> str:
        raise NotImplementedError("the studio calls its models asynchronously")

    @ours_alone
    async def acall(
        self, messages: str | list[Message], response_model: type[BaseModel] | None = None, **context: Any
    ) -> str | BaseModel:
        """The answer: text, or an instance of ``response_model``, told what was wrong and asked again where it did not fit."""
        asked = [{"role": "user", "content": messages}] if isinstance(messages, str) else plain(messages)
        for repair in range(REPAIRS + 1):
            answer = await self._answer(asked, response_model)
            if response_model is None:
                return answer
            try:
                return response_model.model_validate_json(bare_json(answer))
            except ValidationError as error:
                log.info("%s: answer %s does not fit: %s", self.model, repair + 1, error.error_count())
                asked = [*asked, {"role": "assistant", "content": answer}, correction(error)]
        raise ModelError(
            f"The model {self.model} does not answer in the form asked for, though it was told what was wrong. Try another model."
        )

    async def _answer(self, messages: list[Message], response_model: type[BaseModel] | None) -> str:
        """One whole answer, tried again as often as the fault allows."""
        for attempt in range(1, TRIES + 1):
            try:
                async with self._slots:
                    return await self._stream(messages, response_model)
            except Exception as error:
                fault = diagnose(error, self.model)
                if fault is None:
                    raise
                if fault.permanent or attempt == TRIES:
                    raise ModelError(fault.told(attempt), permanent=fault.permanent) from error
                await self._wait(fault, attempt)
        raise AssertionError("the loop returns or raises")

    async def _wait(self, fault: Fault, attempt: int) -> None:
        seconds = fault.pause(attempt)
        log.warning("%s: %s; trying again in %.1f s", self.model, fault.reason, seconds)
        await asyncio.sleep(seconds)

    async def _stream(self, messages: list[Message], response_model: type[BaseModel] | None) -> str:
        """One call. Counts its cost however it ends."""
        usage, text, ended = Usage(calls=1), Growing(draft_sink.get()), None
        request: dict[str, Any] = {"model": self.model, "messages": messages, "stream_options": {"include_usage": True}}
        if response_model:
            request["response_format"] = json_schema(response_model)
        try:
            stream = await self._client.chat.completions.create(stream=True, **request)
            async with stream:
                async for chunk in stream:
                    if chunk.usage:
                        usage = counted(chunk.usage)
                    for choice in chunk.choices[:1]:
                        ended = choice.finish_reason or ended
                        await text.add(choice.delta.content or "")
            await text.flush()
        finally:
            spend(usage)
        if ended is None:
            raise cut_stream()
        finished_badly(ended, self.model)
        answer = without_thoughts(text.whole)
        if not answer:
            raise empty_answer()
        return answer


class Growing:
    """A text that grows, shown at most ten times a second; now and then whole, for those who came late."""

    def __init__(self, sink: Draft | None) -> None:
        self._sink, self._parts, self._shown = sink, list[str](), 0
        self._last = self._last_whole = time.monotonic()

    @property
    def whole(self) -> str:
        return "".join(self._parts)

    async def add(self, part: str) -> None:
        if part:
            self._parts.append(part)
            if self._sink and time.monotonic() - self._last >= DRAFT_SECONDS:
                await self.flush()

    async def flush(self) -> None:
        if self._sink is None:
            return
        now, text = time.monotonic(), without_thoughts(self.whole)
        if now - self._last_whole >= WHOLE_DRAFT_SECONDS or len(text) < self._shown:
            self._shown, self._last_whole = 0, now
        self._last = now
        if len(text) > self._shown:
            await self._sink(self._shown, text[self._shown :])
            self._shown = len(text)


def plain(messages: list[Message]) -> list[Message]:
    """Role and content only: CrewAI adds marks of its own, which strict servers refuse."""
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def without_thoughts(text: str) -> str:
    """What a reasoning model says to itself is not part of its answer, closed or still open."""
    return re.sub(r"<think>.*?(</think>|\Z)", "", text, flags=re.DOTALL).strip()


def bare_json(answer: str) -> str:
    """JSON without the code fence some models put around it."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*(.*?)\s*```\s*", answer, flags=re.DOTALL)
    return fenced.group(1) if fenced else answer


def correction(error: ValidationError) -> Message:
    """Tell the model what was wrong with its answer, without repeating what it said."""
    wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the answer'}: {e['msg']}" for e in error.errors()[:5])
    return {
        "role": "user",
        "content": f"That answer does not fit the form: {wrong}. Answer again, with the JSON object alone.",
    }


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """``response_format`` for strict structured output; bounds on the length of strings are not part of that dialect."""
    schema = json.loads(json.dumps(model.model_json_schema()), object_hook=_without_string_bounds)
    return {"type": "json_schema", "json_schema": {"name": model.__name__, "schema": schema, "strict": True}}


def _without_string_bounds(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in ("minLength", "maxLength")}


def counted(usage: Any) -> Usage:
    """The provider's own count; servers differ in the details they tell."""
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        calls=1,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=(prompt and prompt.cached_tokens) or 0,
        reasoning_tokens=(completion and completion.reasoning_tokens) or 0,
    )
