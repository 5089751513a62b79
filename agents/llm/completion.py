"""The answer of one call, accumulated from the chunks of its stream."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import httpx

from agents.costs.usage import Usage
from agents.llm.errors import (
    content_filtered,
    empty_answer,
    endless_answer,
    error_in_stream,
    model_declined,
    stream_broken,
)
from agents.llm.output_parsing import valid_unicode, without_reasoning

MAX_CHARACTERS = 500_000
CHARACTERS_PER_TOKEN = 4


class StreamedCompletion:
    """``finish_reason`` is the server's, None until it has sent one.

    ``usage`` is what the server reported (``usage_reported``), or else an estimate. ``first_chunk_after`` is in seconds.
    """

    def __init__(self, prompt_characters: int) -> None:
        self.finish_reason: str | None = None
        self.usage_reported = False
        self.started = False
        self.first_chunk_after: float | None = None
        self._created = time.monotonic()
        self._usage = Usage(calls=1)
        self._prompt_characters = prompt_characters
        self._text, self._parts, self._text_length = "", list[str](), 0
        self._reasoning_length = 0
        self._declined = False

    @property
    def text(self) -> str:
        if self._parts:
            self._text += "".join(self._parts)
            self._parts.clear()
        return valid_unicode(self._text)

    @property
    def usage(self) -> Usage:
        if self.usage_reported or not self.started:
            return self._usage
        return Usage(
            calls=1,
            prompt_tokens=self._prompt_characters // CHARACTERS_PER_TOKEN,
            completion_tokens=(self._text_length + self._reasoning_length) // CHARACTERS_PER_TOKEN,
            reasoning_tokens=self._reasoning_length // CHARACTERS_PER_TOKEN,
        )

    def add_chunks(self, chunks: Iterable[Any], request: httpx.Request) -> None:
        """Raises ValueError for a chunk of the wrong shape, openai.APIError for an error in the stream, and UnusableAnswer."""
        if self.first_chunk_after is None:
            self.first_chunk_after = time.monotonic() - self._created
        self.started = True
        for chunk in chunks:
            if isinstance(chunk, dict) and chunk.get("error"):
                raise error_in_stream(chunk["error"], request)
            try:
                self._add(chunk)
            except (AttributeError, IndexError, KeyError, TypeError) as error:
                raise ValueError("a chunk of the stream does not have the expected shape") from error
        if self._text_length + self._reasoning_length > MAX_CHARACTERS:
            raise endless_answer()

    def _add(self, chunk: dict[str, Any]) -> None:
        if usage := chunk.get("usage"):
            self._usage, self.usage_reported = reported_usage(usage), True
        for choice in (chunk.get("choices") or ())[:1]:
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            delta = choice.get("delta") or {}
            if content := delta.get("content"):
                text = content if isinstance(content, str) else text_of_parts(content)
                self._parts.append(text)
                self._text_length += len(text)
            if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
                self._reasoning_length += len(reasoning)
            self._declined = self._declined or bool(delta.get("refusal"))

    def mark_abandoned(self) -> None:
        """Count the prompt although no answer may have arrived: a cancelled call is billed all the same."""
        self.started = True

    def raise_if_unusable(self) -> None:
        """Raises ValueError or UnusableAnswer. An answer cut at the token limit is usable as far as it goes."""
        if not self.started:
            raise ValueError("there was no stream")
        if self._declined:
            raise model_declined()
        if self.finish_reason == "content_filter":
            raise content_filtered()
        if self.finish_reason is None or self.finish_reason == "error":
            raise stream_broken()
        if not without_reasoning(self.text).strip() and self.finish_reason != "length":
            raise empty_answer()


def text_of_parts(content: list[dict[str, Any]]) -> str:
    """The text of a content in parts. Some servers separate reasoning from text this way."""
    return "".join(part["text"] for part in content if part.get("type") == "text")


def reported_usage(usage: dict[str, Any]) -> Usage:
    """The server's own count. Servers differ in the details they report."""
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(
        calls=1,
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=prompt.get("cached_tokens") or 0,
        reasoning_tokens=completion.get("reasoning_tokens") or 0,
    )
