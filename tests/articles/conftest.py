"""Fixtures of the tests in this folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from articles.live import consumers
from articles.models import ApiKey, Article, api_key
from tests.articles.bucket import bucket, s3_server  # noqa: F401  (fixtures)
from tests.articles.clients import client_of
from tests.articles.parked_runs import MODEL
from tests.environment import VAR
from tests.factories import StaffFactory, UserFactory, make_completed_article
from tests.signed_in import sign_in


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Static files by their plain names, because none were collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def no_key_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Query counts must not depend on the speed of a test."""
    monkeypatch.setattr(api_key, "CACHE_SECONDS", 0.0)


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory.create()


@pytest.fixture
def writer(db: None) -> User:
    """A user of a known name, whom pages show."""
    return UserFactory.create(username="ada")


@pytest.fixture
def page(client: Client, writer: User) -> Client:
    """A client in which the writer is signed in."""
    sign_in(client, writer)
    return client


@pytest.fixture
def admin(db: None) -> User:
    return StaffFactory.create()


@pytest.fixture
def browser(client: Client, admin: User) -> Client:
    """A client in which the admin is signed in."""
    sign_in(client, admin)
    return client


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    """A client of a staff user who may only view articles."""
    user = UserFactory.create(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_article"))
    client.force_login(user)
    return client


@pytest.fixture
def key(owner: User) -> str:
    """An API key of the owner's."""
    return ApiKey.objects.issue(owner, "tests")[1]


@pytest.fixture
def api(owner: User) -> Client:
    """A client with the owner's key; a crash gives a response instead of an exception."""
    return client_of(owner, raise_request_exception=False)


@pytest.fixture
def one_model(settings: Settings) -> None:
    """All agents use the model that runs of tests.articles.parked_runs wait for."""
    settings.HAS_MODEL, settings.LLM_MODELS = True, dict.fromkeys(settings.LLM_MODELS, MODEL)


@pytest.fixture
def frequent_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets look for news, and whether their user may still see it, every 0.3 s."""
    monkeypatch.setattr(consumers, "POLL_INTERVAL", 0.3)


@pytest.fixture
def own_files() -> Iterator[None]:
    """Empty media and upload folders, because a restore replaces all files."""
    for folder in ("media", "uploads"):
        shutil.rmtree(VAR / folder, ignore_errors=True)
    yield
    for folder in ("media", "uploads"):
        shutil.rmtree(VAR / folder, ignore_errors=True)


@pytest.fixture
def archive(tmp_path: Path, owner: User) -> Path:
    """A backup of a studio with one finished article, its image and an upload."""
    picture = default_storage.save("covers/1/a.png", ContentFile(b"a picture"))
    Article.objects.filter(pk=make_completed_article(owner).pk).update(image=picture)
    storages["uploads"].save("1/survey.pdf", ContentFile(b"a document"))
    call_command("backup", str(tmp_path / "studio.tar.gz"))
    return tmp_path / "studio.tar.gz"
