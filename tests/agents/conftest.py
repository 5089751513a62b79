from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import openai
import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from agents.contract import AGENTS
from agents.crew.crew import StudioCrew
from agents.llm import capabilities
from tests.factories import UserFactory
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


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory.create()


@pytest.fixture
def model(settings: Settings, model_server: ModelServer) -> ModelServer:
    """The model server that the settings name, for texts and images; no search."""
    settings.SEARCH_PROVIDER, settings.HAS_MODEL, settings.IMAGE_MODEL = "none", True, "test-image"
    settings.OPENAI_BASE_URL = model_server.url
    settings.LLM_MODELS = dict.fromkeys(settings.LLM_MODELS, "test-model")
    return model_server


@pytest.fixture
def no_retry_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between attempts, unless the server asks for one."""
    monkeypatch.setattr("agents.llm.retry.pause", lambda fault, attempt: fault.retry_after or 0.0)
