from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import openai
import pytest

from agents.contract import AGENTS
from agents.crew import StudioCrew
from agents.model import dialect
from agents.model.client import trusted
from tests.model_server import ModelServer


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test learns of the model server what another made it refuse."""
    monkeypatch.setattr(dialect, "_known", {})


@pytest.fixture(scope="session")
def running_model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(running_model_server: ModelServer) -> ModelServer:
    running_model_server.reset()
    return running_model_server


@pytest.fixture
async def model_client(model_server: ModelServer) -> AsyncIterator[openai.AsyncOpenAI]:
    http = openai.DefaultAsyncHttpxClient(verify=trusted())  # certificates are read once: 30 ms
    async with openai.AsyncOpenAI(
        api_key="key", base_url=model_server.url, max_retries=0, timeout=2, http_client=http
    ) as client:
        yield client


@pytest.fixture
def crew(model_client: openai.AsyncOpenAI) -> StudioCrew:
    return StudioCrew.with_models(dict.fromkeys(AGENTS, "test-model"), model_client, concurrency=8)


@pytest.fixture
def slots() -> asyncio.Semaphore:
    return asyncio.Semaphore(8)
