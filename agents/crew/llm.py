"""The model boundary as CrewAI sees it: one LLM over ``agents.llm.chat``, which does the work.

CrewAI's own retries are off: the endpoint is the only layer that tries again, because layers multiply.
"""

from __future__ import annotations

import agents.crew.crewai_setup  # noqa: F401  (first: it decides where CrewAI writes)

# isort: split
import asyncio
from typing import Any

import openai
from crewai import BaseLLM
from pydantic import BaseModel, PrivateAttr

from agents.llm.capabilities import Message
from agents.llm.chat import Endpoint


def ours_alone(method: Any) -> Any:
    """Keep CrewAI from wrapping ``acall`` in a retry of its own (it looks for this mark)."""
    method._crewai_rate_limit_wrapped = True
    return method


class StudioLLM(BaseLLM):
    """A model behind ``POST {base_url}/chat/completions``.

    Raises ModelError, with a reason for a person, where it failed for good.
    """

    _endpoint: Endpoint = PrivateAttr()

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
        self._endpoint = Endpoint(model, client, slots, temperature, max_tokens)

    def call(self, *args: Any, **kwargs: Any) -> str:
        raise NotImplementedError("the studio calls its models asynchronously")

    @ours_alone
    async def acall(
        self,
        messages: str | list[dict[str, Any]],
        response_model: type[BaseModel] | None = None,
        **context: Any,
    ) -> str | BaseModel:
        """The answer: text, or an instance of ``response_model``. ``context`` is what CrewAI tells, and is not needed."""
        asked = [{"role": "user", "content": messages}] if isinstance(messages, str) else plain(messages)
        if response_model:
            return await self._endpoint.in_form(asked, response_model)
        return await self._endpoint.text(asked)


def plain(messages: list[dict[str, Any]]) -> list[Message]:
    """Role and content only: CrewAI adds marks of its own, which strict servers refuse."""
    return [{"role": message["role"], "content": message["content"]} for message in messages]
