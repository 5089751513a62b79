from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import openai
import pytest

from agents.contract import AGENTS
from agents.crew.crew import StudioCrew
from agents.llm import capabilities
from tests.model_client import client_of
from tests.model_server import ModelServer


@pytest.fixture(autouse=True)
def no_learned_capabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets what earlier tests learned about the model server."""
    monkeypatch.setattr(capabilities, "_known", {})


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
    async with client_of(model_server.url, timeout=2) as client:
        yield client


@pytest.fixture
def crew(model_client: openai.AsyncOpenAI) -> StudioCrew:
    return StudioCrew.with_models(dict.fromkeys(AGENTS, "test-model"), model_client, asyncio.Semaphore(8))


@pytest.fixture
def slots() -> asyncio.Semaphore:
    return asyncio.Semaphore(8)
