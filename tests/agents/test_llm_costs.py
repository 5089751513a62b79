"""The usage of model calls, as reported by the server or estimated if it reports none."""

from __future__ import annotations

import asyncio

import openai
import pytest

from agents.costs.usage import metered
from agents.crew.llm import StudioLLM
from agents.llm import chat
from agents.llm.completion import StreamedCompletion
from tests.model_server import ModelServer


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between attempts."""
    monkeypatch.setattr("agents.llm.retry.pause", lambda fault, attempt: 0.0)


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="test-model", client=model_client, slots=slots)


async def test_usage_of_a_call_is_recorded(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(text="One two three.")
    with metered() as usage:
        await llm.acall("Say something, please.")
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (1, 5, 3)


async def test_usage_is_estimated_if_the_server_reports_none(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.counts = False
    model_server.fail(text="Forty characters make some ten tokens ok.")
    with metered() as usage:
        await llm.acall("x" * 80)
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (1, 20, 10)


async def test_failed_calls_are_counted_too(llm: StudioLLM, model_server: ModelServer) -> None:
    model_server.fail(status=500)
    with metered() as usage:
        await llm.acall("Say something.")
    assert usage.calls == 2


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[StreamedCompletion]:
    """The calls of the model, with what has arrived of their answers."""
    made: list[StreamedCompletion] = []

    class Watched(StreamedCompletion):
        def __init__(self, prompt_characters: int) -> None:
            super().__init__(prompt_characters)
            made.append(self)

    monkeypatch.setattr(chat, "StreamedCompletion", Watched)
    return made


async def test_usage_of_a_broken_answer_is_estimated(
    llm: StudioLLM, model_server: ModelServer, calls: list[StreamedCompletion]
) -> None:
    arrived = ""
    for _ in range(20):  # the system may discard what it has received of a broken connection
        model_server.fail(text="word " * 40, cut=0.5)
        model_server.fail(text="One.")
        calls.clear()
        with metered() as usage:
            await llm.acall("x" * 80)
        arrived = calls[0].text
        assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (2, 40, len(arrived) // 4 + 1)
        if len(arrived) >= 40:
            break
    assert arrived.startswith("word word")


@pytest.mark.parametrize("fault", [{"hang": 30}, {"text": "word " * 40, "stall": 30}], ids=["before", "during"])
async def test_usage_of_a_cancelled_call_is_estimated(
    llm: StudioLLM, model_server: ModelServer, calls: list[StreamedCompletion], fault: dict[str, object]
) -> None:
    model_server.fail(**fault)
    with metered() as usage:
        call = asyncio.create_task(llm.acall("x" * 80))
        async with asyncio.timeout(20):
            while not model_server.calls or ("text" in fault and len(calls[0].text) < 100):
                await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert (usage.calls, usage.prompt_tokens) == (1, 20)
    assert usage.completion_tokens == (25 if "text" in fault else 0)
