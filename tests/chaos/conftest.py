"""A real studio and a model server. Starting them takes seconds, so the tests share them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.chaos.store import Cluster
from tests.chaos.studio import LiveStudio
from tests.model_server import ModelServer


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster | None]:
    """A private PostgreSQL that tests can restart, or None if the tests run on SQLite."""
    if not os.environ.get("DATABASE_URL"):
        yield None
        return
    with Cluster() as running:
        yield running


@pytest.fixture(scope="session")
def shared_model() -> Iterator[ModelServer]:
    with ModelServer(first_seconds=0.1, image_seconds=1) as server:
        yield server


@pytest.fixture
def model(shared_model: ModelServer) -> ModelServer:
    """Writes slowly enough to be interrupted, and finds every citation supported."""
    shared_model.reset()
    shared_model.token_seconds = 0.01
    shared_model.choices.add("supported")
    return shared_model


@pytest.fixture(scope="session")
def shared_studio(
    tmp_path_factory: pytest.TempPathFactory, shared_model: ModelServer, cluster: Cluster | None
) -> Iterator[LiveStudio]:
    directory = tmp_path_factory.mktemp("studio")
    studio = LiveStudio(directory, shared_model, places=6, store=cluster.url if cluster else "")
    yield studio
    studio.stop()


@pytest.fixture
def studio(shared_studio: LiveStudio) -> LiveStudio:
    """Running, even if the previous test stopped it."""
    if shared_studio.process.poll() is not None:
        shared_studio.start()
    return shared_studio
