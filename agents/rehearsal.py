"""A question asked before workers fork, of a server that is not there.

CrewAI, the openai client and pydantic build much of what they need when it is first used: schemas, type hints, caches. What one
question builds here is shared by every job, which would else build it anew in megabytes of its own.
"""

from __future__ import annotations

import asyncio
import json

import httpx

from agents.assignments import plan_research
from agents.contract import AGENTS, Brief
from agents.crew import StudioCrew
from agents.model.client import model_client

REPLY = {"questions": ["What is it?", "How is it done?", "Who gains?"]}


def rehearse() -> None:
    asyncio.run(_ask())


async def _ask() -> None:
    async with model_client(httpx.MockTransport(_answered)) as client:
        crew = StudioCrew.with_models(dict.fromkeys(AGENTS, "rehearsal"), client, concurrency=1)
        await crew.ask(plan_research(Brief(topic="A rehearsal"), len(REPLY["questions"])))


def _answered(request: httpx.Request) -> httpx.Response:
    chunk = {"choices": [{"delta": {"content": json.dumps(REPLY)}, "finish_reason": "stop"}]}
    headers = {"content-type": "text/event-stream"}
    return httpx.Response(200, headers=headers, text=f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")
