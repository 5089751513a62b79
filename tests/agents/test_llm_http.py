"""HTTP to the model server: connections, batched reads, proxies, and broken responses."""

from __future__ import annotations

import asyncio

import openai
import pytest

from agents.crew.llm import StudioLLM
from agents.exceptions import FailureCode
from agents.llm import stream
from agents.llm.chat import ChatModel
from agents.llm.completion import StreamedCompletion
from agents.llm.errors import diagnose
from tests.agents.test_llm_errors import server_with
from tests.model_client import client_of
from tests.model_server import ModelServer


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="m", client=model_client, slots=slots)


async def test_a_connection_is_reused(llm: StudioLLM, model_server: ModelServer) -> None:
    for _ in range(3):
        await llm.acall("About 20 words.")
    assert len(model_server.calls) == 3
    assert len({call.connection for call in model_server.calls}) == 1


async def test_a_connection_with_an_unread_answer_is_not_reused(model_server: ModelServer) -> None:
    model_server.fail(stall=10)
    async with client_of(model_server.url) as client:
        async with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True):
            pass
        async with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as whole:
            await whole.read()
    first, second = model_server.calls
    assert first.connection != second.connection


async def count_batches(client: openai.AsyncOpenAI, words: int) -> int:
    """In how many reads an answer of so many words arrived."""
    batches = 0

    async def on_progress(completion: StreamedCompletion) -> None:
        nonlocal batches
        batches += 1

    chat = ChatModel("m", client, asyncio.Semaphore(1))
    completion = await chat.complete_once(chat.request([{"role": "user", "content": "Say it."}]), on_progress, 10)
    assert completion.text.split() == ["word"] * words
    return batches


async def test_many_chunks_are_read_at_once() -> None:
    with ModelServer(token_seconds=0.01) as server:
        server.fail(text="word " * 200)
        async with client_of(server.url) as client:
            assert (
                10 < await count_batches(client, 200) < 80
            )  # two seconds at 25 a second, with room for a busy machine


async def test_few_streams_are_read_more_often_than_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "READ_INTERVAL", 2.0)
    with ModelServer(token_seconds=0.01) as server:
        server.fail(text="word " * 100, times=5)
        async with client_of(server.url) as client:
            alone = await count_batches(client, 100)
            three = await asyncio.gather(*(count_batches(client, 100) for _ in range(3)))
            alone_again = await count_batches(client, 100)
    assert max(three) < 10 < min(alone, alone_again)


async def test_an_answer_is_complete_even_if_its_body_breaks_off_afterwards() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
    body = b'data: {"choices": [{"delta": {"content": "One."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    async with (
        server_with(answer=head + b": hello\n\n", later=body) as (port, callers),
        client_of(f"http://127.0.0.1:{port}/v1") as client,
    ):
        assert await StudioLLM(model="m", client=client, slots=asyncio.Semaphore(1)).acall("Say it.") == "One."
    assert len(callers) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n: hello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n: hello\r\nXYZ\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: a lot\r\n\r\n",
    ],
    ids=["chunk", "later chunk", "not HTTP", "header"],
)
async def test_a_response_that_is_not_http_counts_as_a_lost_connection(answer: bytes) -> None:
    async with server_with(answer=answer) as (port, _), client_of(f"http://127.0.0.1:{port}/v1") as client:
        with pytest.raises(Exception) as caught:  # noqa: PT011  # of httpx, aiohttp or openai
            async with client.chat.completions.with_streaming_response.create(
                model="m", messages=[], stream=True
            ) as left:
                await left.read()
    fault = diagnose(caught.value, "m")
    assert fault
    assert (fault.code, "closed the connection" in fault.reason) == (FailureCode.MODEL_UNAVAILABLE, True)


async def test_the_proxy_of_the_environment_is_used(
    model_server: ModelServer, slots: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", model_server.url.removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    async with client_of("http://model.invalid/v1") as client:
        assert await StudioLLM(model="m", client=client, slots=slots).acall("About 20 words.")


async def test_a_host_in_no_proxy_is_called_directly(
    model_server: ModelServer, slots: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with client_of(model_server.url) as client:
        assert await StudioLLM(model="m", client=client, slots=slots).acall("About 20 words.")
