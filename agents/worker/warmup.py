"""Warms up the libraries before workers fork: makes one model call over a mock transport, and builds the answer schemas.

CrewAI, the openai client and pydantic build schemas, type hints and caches on first use. Built here, they are shared by all
jobs; otherwise each job would build its own copy, which takes megabytes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import httpx

from agents.contract import AGENTS, Brief, LLMOutput
from agents.crew.assignments import plan_research
from agents.crew.assignments.editing import judged_sentences, verdicts
from agents.crew.crew import StudioCrew
from agents.llm.capabilities import strict_schema
from agents.llm.client import model_client

REPLY = {"questions": ["What is it?", "How is it done?", "Who gains?"]}

USUAL_SENTENCES = 24
"""Sentences of a section for which schemas are built in advance; for more, they are built when needed."""


def warm_up() -> None:
    asyncio.run(_make_call())
    for count in range(1, USUAL_SENTENCES + 1):
        judged_sentences(count)
        verdicts(count)
    for schema in _subclasses(LLMOutput):
        strict_schema(schema)


async def _make_call() -> None:
    async with model_client(httpx.MockTransport(_respond)) as client:
        crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "warm-up"), client, asyncio.Semaphore(1))
        await crew.ask(plan_research((), Brief(topic="A warm-up"), len(REPLY["questions"])))


def _respond(request: httpx.Request) -> httpx.Response:
    chunk = {"choices": [{"delta": {"content": json.dumps(REPLY)}, "finish_reason": "stop"}]}
    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=headers, text=f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")


def _subclasses(schema: type[LLMOutput]) -> Iterator[type[LLMOutput]]:
    """All subclasses of ``schema``, at any depth."""
    for subclass in schema.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
