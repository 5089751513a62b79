"""What a model has said in one call, as far as it came."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

from agents.costs.usage import Usage
from agents.llm.errors import (
    cut_stream,
    declined,
    empty_answer,
    endless_answer,
    error_amid_stream,
    filtered_answer,
)
from agents.llm.output_parsing import fit, without_thoughts

MOST_CHARACTERS = 500_000
CHARACTERS_A_TOKEN = 4


class StreamedCompletion:
    """Grows with the stream. ``ended`` is the server's ``finish_reason``, None while it goes on.

    ``counted`` tells that ``usage`` is the server's own count; else it is estimated from the characters of a call that was
    answered, or left: four a token.
    """

    def __init__(self, prompt_characters: int) -> None:
        self.ended: str | None = None
        self.counted = False
        self.begun = False
        self._usage = Usage(calls=1)
        self._prompt_characters = prompt_characters
        self._text, self._parts, self._length = "", list[str](), 0
        self._thoughts = 0
        self._declined = False

    @property
    def text(self) -> str:
        if self._parts:
            self._text += "".join(self._parts)
            self._parts.clear()
        return fit(self._text)

    @property
    def usage(self) -> Usage:
        if self.counted or not self.begun:
            return self._usage
        prompt, answer = self._prompt_characters, self._length + self._thoughts
        return Usage(
            calls=1,
            prompt_tokens=prompt // CHARACTERS_A_TOKEN,
            completion_tokens=answer // CHARACTERS_A_TOKEN,
            reasoning_tokens=self._thoughts // CHARACTERS_A_TOKEN,
        )

    def take(self, batch: Iterable[Any], request: httpx.Request) -> None:
        """Add chunks of a stream. Raises ValueError for one of another shape, and what the server reports in one."""
        self.begun = True
        for chunk in batch:
            if isinstance(chunk, dict) and chunk.get("error"):
                raise error_amid_stream(chunk["error"], request)
            try:
                self._add(chunk)
            except (AttributeError, IndexError, KeyError, TypeError) as error:
                raise ValueError("a chunk has not the shape of one") from error
        if self._length + self._thoughts > MOST_CHARACTERS:
            raise endless_answer()

    def _add(self, chunk: dict[str, Any]) -> None:
        if usage := chunk.get("usage"):
            self._usage, self.counted = counted(usage), True
        for choice in (chunk.get("choices") or ())[:1]:
            self.ended = choice.get("finish_reason") or self.ended
            delta = choice.get("delta") or {}
            if text := delta.get("content"):
                part = text if isinstance(text, str) else parts_of(text)
                self._parts.append(part)
                self._length += len(part)
            if thought := delta.get("reasoning_content") or delta.get("reasoning"):
                self._thoughts += len(thought)
            self._declined = self._declined or bool(delta.get("refusal"))

    def leave(self) -> None:
        """Count with what was asked although nothing may have come yet: who leaves a call pays for its prompt all the same."""
        self.begun = True

    def check(self) -> None:
        """Raise where what was said is not an answer. One that was cut off at a limit of tokens is one, as far as it goes."""
        if not self.begun:
            raise ValueError("there was no stream")
        if self._declined:
            raise declined()
        if self.ended == "content_filter":
            raise filtered_answer()
        if self.ended is None or self.ended == "error":
            raise cut_stream()
        if not without_thoughts(self.text).strip() and self.ended != "length":
            raise empty_answer()


def parts_of(content: list[dict[str, Any]]) -> str:
    """The text of a content in parts, as servers send it that tell thoughts from text so."""
    return "".join(part["text"] for part in content if part.get("type") == "text")


def counted(usage: dict[str, Any]) -> Usage:
    """The provider's own count; servers differ in the details they tell."""
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    return Usage(
        calls=1,
        prompt_tokens=usage.get("prompt_tokens") or 0,
        completion_tokens=usage.get("completion_tokens") or 0,
        cached_tokens=prompt.get("cached_tokens") or 0,
        reasoning_tokens=completion.get("reasoning_tokens") or 0,
    )
