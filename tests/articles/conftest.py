"""What the tests of this folder share."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from articles.models import ApiKey
from tests.articles.clients import client_of
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def light(settings: Settings) -> None:
    """Static files by their plain names, as nothing was collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory.create()


@pytest.fixture
def key(owner: User) -> str:
    """An API key of the owner's."""
    return ApiKey.objects.issue(owner, "tests")[1]


@pytest.fixture
def api(owner: User) -> Client:
    """The API as the owner's programs use it; a crash is answered, not raised."""
    return client_of(owner, raise_request_exception=False)
