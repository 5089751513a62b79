"""HTTP to the model's server: connections, the pace of reading, proxies, and bodies that are broken."""

from __future__ import annotations

import asyncio

import httpx
import openai
import pytest

from agents.crew.llm import StudioLLM
from agents.llm import transport
from agents.llm.chat import Endpoint
from agents.llm.completion import StreamedCompletion
from agents.llm.transport import proxy_for
from tests.agents.test_faults import server_of
from tests.model_client import client_of
from tests.model_server import ModelServer


@pytest.fixture
def llm(model_client: openai.AsyncOpenAI, slots: asyncio.Semaphore) -> StudioLLM:
    return StudioLLM(model="m", client=model_client, slots=slots)


async def test_a_connection_is_used_again(llm: StudioLLM, model_server: ModelServer) -> None:
    for _ in range(3):
        await llm.acall("About 20 words.")
    assert len(model_server.calls) == 3
    assert len({call.connection for call in model_server.calls}) == 1


async def test_a_connection_with_half_an_answer_is_not_used_again(model_server: ModelServer) -> None:
    model_server.fail(stall=10)
    async with client_of(model_server.url) as client:
        async with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True):
            pass
        async with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as whole:
            await whole.read()
    first, second = model_server.calls
    assert first.connection != second.connection


async def gulps(client: openai.AsyncOpenAI, words: int) -> int:
    """How many gulps a model's answer of so many words was read in."""
    taken = 0

    async def watch(said: StreamedCompletion) -> None:
        nonlocal taken
        taken += 1

    asked = Endpoint("m", client, asyncio.Semaphore(1))
    said = await asked.once(asked.question([{"role": "user", "content": "Say it."}]), watch, patience=10)
    assert said.text.split() == ["word"] * words
    return taken


async def test_a_long_answer_is_read_in_gulps() -> None:
    with ModelServer(token_seconds=0.01) as server:
        server.fail(text="word " * 200)
        async with client_of(server.url) as client:
            assert 10 < await gulps(client, 200) < 80  # two seconds at 25 a second, and room for a busy machine


async def test_few_answers_are_read_more_often_than_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TICK", 2.0)
    with ModelServer(token_seconds=0.01) as server:
        server.fail(text="word " * 100, times=5)
        async with client_of(server.url) as client:
            alone = await gulps(client, 100)
            three = await asyncio.gather(*(gulps(client, 100) for _ in range(3)))
            alone_again = await gulps(client, 100)
    assert max(three) < 10 < min(alone, alone_again)


async def test_an_answer_is_whole_though_its_body_breaks_off_after_it() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
    body = b'data: {"choices": [{"delta": {"content": "One."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    async with (
        server_of(answer=head + b": hello\n\n", later=body) as (port, callers),
        client_of(f"http://127.0.0.1:{port}/v1") as client,
    ):
        assert await StudioLLM(model="m", client=client, slots=asyncio.Semaphore(1)).acall("Say it.") == "One."
    assert len(callers) == 1


async def test_what_is_no_stream_is_read_as_fast_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TICK", 1000.0)
    monkeypatch.setattr(transport, "SHORT_TICK", 1000.0)
    picture = b'{"data": [{"b64_json": "' + b"A" * 4_000_000 + b'"}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(picture)
    async with (
        server_of(answer=head + picture[:99], later=picture[99:]) as (port, _),
        client_of(f"http://127.0.0.1:{port}/v1") as client,
        asyncio.timeout(5),
    ):
        images = await client.images.generate(prompt="A roof", model="m")
    assert images.data
    assert len(images.data[0].b64_json or "") == 4_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nXYZ\r\n: hello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n: hello\r\nXYZ\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: a lot\r\n\r\n",
    ],
    ids=["a chunk", "a later chunk", "no HTTP", "a header"],
)
async def test_what_is_no_http_is_told_as_broken(answer: bytes) -> None:
    async with server_of(answer=answer) as (port, _), client_of(f"http://127.0.0.1:{port}/v1") as client:
        with pytest.raises((httpx.RemoteProtocolError, openai.APIConnectionError)) as caught:
            async with client.chat.completions.with_streaming_response.create(
                model="m", messages=[], stream=True
            ) as left:
                await left.read()
    error = caught.value.__cause__ if isinstance(caught.value, openai.APIConnectionError) else caught.value
    assert isinstance(error, httpx.RemoteProtocolError)


async def test_a_proxy_of_the_environment_is_asked(
    model_server: ModelServer, slots: asyncio.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", model_server.url.removesuffix("/v1"))
    monkeypatch.delenv("no_proxy", raising=False)
    async with client_of("http://model.invalid/v1") as client:
        assert await StudioLLM(model="m", client=client, slots=slots).acall("About 20 words.")


def test_proxies_are_those_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert proxy_for(httpx.URL("https://api.example.com/v1")) is None
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert proxy_for(httpx.URL("https://api.example.com/v1")) == "http://proxy:3128"
    assert proxy_for(httpx.URL("http://api.example.com/v1")) is None
    monkeypatch.setenv("ALL_PROXY", "http://other:3128")
    assert proxy_for(httpx.URL("http://api.example.com/v1")) == "http://other:3128"
    monkeypatch.setenv("NO_PROXY", "localhost,example.com")
    assert proxy_for(httpx.URL("https://api.example.com/v1")) is None
