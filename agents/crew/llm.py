"""CrewAI's view of what answers a task: a model behind ``agents.llm.chat``, or the built-in writer."""

from __future__ import annotations

import agents.crew.crewai_setup  # noqa: F401  (before CrewAI)

# isort: split
import asyncio
from typing import Any, cast

import openai
from crewai import BaseLLM
from pydantic import BaseModel, PrivateAttr

from agents.crew.agent import StudioTask
from agents.llm.chat import ChatModel


class SingleAttempt:
    """``call`` and ``acall`` without CrewAI's retries.

    CrewAI wraps these methods in retries when a subclass of BaseLLM defines them, not when it inherits them from elsewhere. The
    retry rule of model calls is ``agents.llm.retry``: retries in two layers multiply.
    """

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("models are called asynchronously: use acall")

    async def acall(
        self,
        messages: Any,
        tools: Any = None,
        callbacks: Any = None,
        available_functions: Any = None,
        from_task: Any = None,
        from_agent: Any = None,
        response_model: type[BaseModel] | None = None,
    ) -> Any:
        """The answer: text, or an instance of ``response_model``. Raises ModelError."""
        chat = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        return await self.answer(chat, from_task, response_model)

    async def answer(
        self, messages: list[dict[str, str]], task: StudioTask | None, schema: type[BaseModel] | None
    ) -> str | BaseModel:
        raise NotImplementedError


class StudioLLM(SingleAttempt, BaseLLM):
    """A model behind ``POST {base_url}/chat/completions``."""

    _chat: ChatModel = PrivateAttr()

    def __init__(
        self,
        *,
        model: str,
        client: openai.AsyncOpenAI,
        slots: asyncio.Semaphore,
        temperature: float | None = None,
        max_tokens: int | None = None,
    ) -> None:
        super().__init__(model=model, temperature=temperature)
        self._chat = ChatModel(model, client, slots, temperature, max_tokens)

    async def answer(
        self, messages: list[dict[str, str]], task: StudioTask | None, schema: type[BaseModel] | None
    ) -> str | BaseModel:
        preview = task.preview if task else None
        if schema:
            return await self._chat.structured(messages, schema, preview)
        return await self._chat.text(messages, preview)


class BuiltInLLM(SingleAttempt, BaseLLM):
    """Answers a task's assignment from its passages alone, without calling a model."""

    async def answer(
        self, messages: list[dict[str, str]], task: StudioTask | None, schema: type[BaseModel] | None
    ) -> str | BaseModel:
        assignment = cast(StudioTask, task).assignment
        return cast("str | BaseModel", await asyncio.to_thread(assignment.built_in))
