"""The test process with its files in a bucket of a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from pytest_django import Settings

from articles.models import Source
from contentstudio import storage_settings
from contentstudio.s3_storage import PrivateS3Storage
from tests.environment import VAR
from tests.s3_server import S3Server


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "buckets")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server: S3Server, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with an empty bucket that the settings name."""
    for name, value in s3_server.settings.items():
        monkeypatch.setattr(storage_settings, name, value)
    settings.STORAGES = {**settings.STORAGES, **storage_settings.file_storages(VAR)}
    monkeypatch.setattr(Source._meta.get_field("upload"), "storage", storages["uploads"])
    for each in ("default", "uploads"):
        for file in storage(each).files():
            storage(each).delete(file.name)
    assert s3_server.objects() == {}
    return s3_server


def storage(name: str) -> PrivateS3Storage:
    found = storages[name]
    assert isinstance(found, PrivateS3Storage)
    return found


def put(name: str, content: bytes, *, tmp_path: Path, to: str = "default") -> str:
    """Stores a file under this very name."""
    path = tmp_path / "content"
    path.write_bytes(content)
    with path.open("rb") as file:
        storage(to).write(name, file)
    return name
