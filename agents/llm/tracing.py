"""Spans of model calls, by the conventions for generative AI."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
from django.conf import settings

from agents.costs.usage import Usage
from agents.llm.capabilities import ChatRequest, Message
from agents.llm.completion import StreamedCompletion
from agents.tracing import conventions as names
from agents.tracing import is_traced, span
from agents.tracing.spans import Attributes


@contextmanager
def traced_call(request: ChatRequest, client: openai.AsyncOpenAI, completion: StreamedCompletion) -> Iterator[None]:
    """A span of the HTTP request made in the block, with what ``completion`` has at its end."""
    if not is_traced():
        yield
        return
    attributes = {
        **of_server(client),
        names.OPERATION: names.CHAT,
        names.REQUEST_MODEL: request.model,
        names.TEMPERATURE: request.temperature,
        names.MAX_TOKENS: request.max_tokens,
        names.OUTPUT_TYPE: "json" if request.schema else "text",
    }
    with span(f"{names.CHAT} {request.model}", "CLIENT", attributes) as call:
        if settings.TRACES_CONTENT:
            call.set({names.INPUT_MESSAGES: as_json(request.messages)})
        try:
            yield
        finally:
            finish = completion.finish_reason
            call.set(
                {
                    names.FINISH_REASONS: [finish] if finish else None,
                    names.TIME_TO_FIRST_CHUNK: completion.first_chunk_after,
                    **of_usage(completion.usage),
                }
            )
            if settings.TRACES_CONTENT:
                answer = {"role": "assistant", "content": completion.text}
                call.set({names.OUTPUT_MESSAGES: as_json([answer], finish_reason=finish or "error")})


@contextmanager
def traced_image(model: str, client: openai.AsyncOpenAI, prompt: str, usage: Usage) -> Iterator[None]:
    """A span of the request for an image made in the block, with what ``usage`` has at its end."""
    if not is_traced():
        yield
        return
    attributes = {
        **of_server(client),
        names.OPERATION: names.GENERATE_CONTENT,
        names.REQUEST_MODEL: model,
        names.OUTPUT_TYPE: "image",
    }
    with span(f"{names.GENERATE_CONTENT} {model}", "CLIENT", attributes) as call:
        if settings.TRACES_CONTENT:
            call.set({names.INPUT_MESSAGES: as_json([{"role": "user", "content": prompt}])})
        try:
            yield
        finally:
            call.set(of_usage(usage))


def of_server(client: openai.AsyncOpenAI) -> Attributes:
    """Host and port only: the rest of the address may be a secret."""
    address = client.base_url
    port = address.port or {"https": 443, "http": 80}.get(address.scheme)
    return {
        names.PROVIDER: names.provider_of(address.host),
        names.SERVER_ADDRESS: address.host,
        names.SERVER_PORT: port,
    }


def of_usage(usage: Usage) -> Attributes:
    return {
        names.INPUT_TOKENS: usage.prompt_tokens,
        names.OUTPUT_TOKENS: usage.completion_tokens,
        names.CACHED_TOKENS: usage.cached_tokens,
        names.REASONING_TOKENS: usage.reasoning_tokens,
        names.COST: float(usage.cost),
    }


def as_json(messages: list[Message], **more: Any) -> str:
    """Messages in the shape of the conventions."""
    shaped = [
        {"role": message["role"], "parts": [{"type": "text", "content": message["content"]}], **more}
        for message in messages
    ]
    return json.dumps(shaped, ensure_ascii=False)
