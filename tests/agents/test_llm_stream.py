"""Server-sent events in all their variants, and the usage reported in them."""

from __future__ import annotations

import asyncio
import json

import openai
import pytest

from agents.costs.usage import metered
from agents.crew.llm import StudioLLM
from agents.llm.stream import EventParser
from tests.model_server import ModelServer


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="test-model", client=model_client, slots=slots)


def chunk(text: object = "", **more: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}, **more}]}, ensure_ascii=False)


PARTS = [{"type": "thinking"}, {"type": "text", "text": "One."}]
SEPARATED = "One\u2028two."
LAST = chunk(finish_reason="stop")


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (f"data: {chunk('Grüße.')}\n\ndata: {LAST}\n\ndata: [DONE]\n\n", "Grüße."),
        (f"data: {chunk('One.')}\r\n\r\ndata: {LAST}\r\n\r\ndata: [DONE]\r\n\r\n", "One."),
        (f": hello\n\n:\n\nevent: message\nid: 7\ndata: {chunk('One.')}\n\ndata: {LAST}\n\n", "One."),
        (f"data:{chunk('One.')}\n\ndata:{LAST}\n\n", "One."),
        ('data: {"choices": [{"delta":\ndata: {"content": "One."}, "finish_reason": "stop"}]}\n\n', "One."),
        (f"data: {chunk(SEPARATED)}\n\ndata: {LAST}\n\n", SEPARATED),
        (f'data: {chunk("One.")}\n\ndata: {{"choices": []}}\n\ndata: {{"choices": null}}\n\ndata: {LAST}\n\n', "One."),
        (f"data: {chunk(PARTS)}\n\ndata: {LAST}\n\n", "One."),
        (f"data: {chunk('One.')}\n\ndata: {LAST}\n\ndata: [DONE]\n\ndata: garbage\n\n", "One."),
    ],
    ids=["plain", "crlf", "comments", "no space", "lines", "line separator", "empty", "parts", "after the end"],
)
async def test_streams_are_read_however_servers_write_them(
    llm: StudioLLM, model_server: ModelServer, wire: str, text: str
) -> None:
    model_server.fail(raw=wire.encode())
    assert await llm.acall("Say something.") == text
    assert len(model_server.calls) == 1


def test_events_may_be_split_at_any_byte() -> None:
    wire = f": ping\r\n\r\ndata: {chunk('Grüße 😀')}\r\n\r\ndata: 1\ndata: 2\n\n".encode()
    events = EventParser()
    found = [event for byte in wire for event in events.feed(bytes([byte]))]
    assert found == [chunk("Grüße 😀").encode(), b"1\n2"]


async def test_reasoning_beside_the_text_is_counted_but_not_returned(llm: StudioLLM, model_server: ModelServer) -> None:
    thought = {"choices": [{"delta": {"reasoning_content": "x" * 400}}]}
    model_server.fail(raw=f"data: {json.dumps(thought)}\n\ndata: {chunk('Four')}\n\ndata: {LAST}\n\n".encode())
    with metered() as usage:
        assert await llm.acall("Say something.") == "Four"
    assert (usage.reasoning_tokens, usage.completion_tokens) == (100, 101)


async def test_cached_and_reasoning_tokens_are_counted(llm: StudioLLM, model_server: ModelServer) -> None:
    reported = {
        "prompt_tokens": 90,
        "completion_tokens": 30,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    wire = f"data: {chunk('One.')}\n\ndata: {LAST}\n\ndata: {json.dumps({'choices': [], 'usage': reported})}\n\n"
    model_server.fail(raw=wire.encode())
    with metered() as usage:
        await llm.acall("Say something.")
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (90, 64, 30)
    assert usage.reasoning_tokens == 20
