"""The relay: each request of a model client is a file, and another file is its answer."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest

from bench.judge.relay import running_relay


async def answer(folder: Path, number: int, text: str) -> str:
    """Wait for a request, answer it, and return what a person reads of it."""
    request = folder / f"{number:04}.request.md"
    async with asyncio.timeout(10):
        while not (folder / f"{number:04}.request.json").exists():
            await asyncio.sleep(0.02)
    (folder / f"{number:04}.answer.txt").write_text(text)
    return request.read_text()


def client(base_url: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0)


async def ask(base_url: str, prompt: str, **more: Any) -> Any:
    return await client(base_url).chat.completions.create(
        model="relay", messages=[{"role": "user", "content": prompt}], **more
    )


async def test_a_request_is_a_readable_file_and_its_answer_comes_back(tmp_path: Path) -> None:
    async with running_relay(tmp_path, wait=10) as base_url:
        response, shown = await asyncio.gather(
            ask(base_url, "How warm?", max_tokens=70), answer(tmp_path, 1, "11 °C\n")
        )
    assert response.choices[0].message.content == "11 °C"
    assert "## user\n\nHow warm?" in shown
    assert "At most 70 tokens." in shown
    assert "0001.answer.txt" in shown
    assert json.loads((tmp_path / "0001.request.json").read_text())["messages"][0]["content"] == "How warm?"


async def test_a_stream_brings_the_same_words_and_the_usage(tmp_path: Path) -> None:
    text = "# Roofs\n\nThey are  cool.\n\n- one\n- two"
    async with running_relay(tmp_path, wait=10) as base_url:
        asked = ask(base_url, "Write.", stream=True, stream_options={"include_usage": True})
        stream, _ = await asyncio.gather(asked, answer(tmp_path, 1, text))
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text
    assert chunks[-1].usage.completion_tokens == len(text) // 4


async def test_the_schema_of_the_answer_is_shown(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "plan", "schema": schema}}
    async with running_relay(tmp_path, wait=10) as base_url:
        response, shown = await asyncio.gather(
            ask(base_url, "Plan.", response_format=form), answer(tmp_path, 1, '{"title": "Roofs"}')
        )
    assert json.loads(response.choices[0].message.content) == {"title": "Roofs"}
    assert json.dumps(schema, indent=2) in shown


async def test_requests_wait_side_by_side_and_a_retry_keeps_its_number(tmp_path: Path) -> None:
    async with running_relay(tmp_path, wait=10) as base_url:
        lost = asyncio.create_task(ask(base_url, "First"))
        await asyncio.sleep(0.3)
        lost.cancel()
        first, second, _, _ = await asyncio.gather(
            ask(base_url, "First"), ask(base_url, "Second"), answer(tmp_path, 2, "two"), answer(tmp_path, 1, "one")
        )
    assert [response.choices[0].message.content for response in (first, second)] == ["one", "two"]
    assert len(list(tmp_path.glob("*.request.json"))) == 2


async def test_a_repeated_beginning_counts_as_cached(tmp_path: Path) -> None:
    beginning = "The reading. " * 500
    async with running_relay(tmp_path, wait=10) as base_url:
        first, _ = await asyncio.gather(ask(base_url, beginning + "Find."), answer(tmp_path, 1, "one"))
        second, _ = await asyncio.gather(ask(base_url, beginning + "Plan."), answer(tmp_path, 2, "two"))
    assert first.usage.prompt_tokens_details.cached_tokens == 0
    assert second.usage.prompt_tokens_details.cached_tokens == 1536  # 12 blocks of 128 of 1,625 tokens


async def test_a_request_without_an_answer_fails_and_the_next_relay_counts_on(tmp_path: Path) -> None:
    async with running_relay(tmp_path, wait=0.3) as base_url:
        with pytest.raises(openai.InternalServerError, match="No answer to request 0001"):
            await ask(base_url, "Anyone?")
    async with running_relay(tmp_path, wait=10) as base_url:
        await asyncio.gather(ask(base_url, "Again"), answer(tmp_path, 2, "yes"))
