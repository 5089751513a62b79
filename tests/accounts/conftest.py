"""Fixtures of the tests in this folder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from accounts import mail
from tests.accounts.people import person


@pytest.fixture(autouse=True)
def plain_static_files(settings: Settings) -> None:
    """Static files by their plain names, because none were collected."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def mail_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is sent before the answer: another thread would not see what a test has stored."""

    class Immediate(mail.Outbox):
        def submit(self, task: Callable[[], None]) -> None:
            task()

    monkeypatch.setattr(mail, "outbox", Immediate())


@pytest.fixture
def ada() -> User:
    return person("ada")


@pytest.fixture
def bob() -> User:
    return person("bob")
