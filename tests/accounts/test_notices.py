"""Users get a mail if what opens their account has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.core import mail
from pytest_django import Settings

from articles.models import ApiKey
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(settings: Settings) -> User:
    settings.EMAIL_HOST = "mail.example.com"
    return UserFactory.create(username="ada", email="ada@example.com")


def change_password(user: User) -> None:
    user.set_password("another horse, another staple")
    user.save()


def change_address(user: User) -> None:
    user.email = "mallory@example.com"
    user.save()


def add_factor(user: User) -> None:
    factor = TOTP.activate(user, generate_totp_secret()).instance
    authenticator_added.send(Authenticator, request=None, user=user, authenticator=factor)


def remove_factor(user: User) -> None:
    factor = TOTP.activate(user, generate_totp_secret()).instance
    authenticator_removed.send(Authenticator, request=None, user=user, authenticator=factor)


def create_key(user: User) -> None:
    ApiKey.objects.issue(user, "newsletter")


CHANGES: dict[Callable[[User], None], str] = {
    change_password: "Your password was changed.",
    change_address: "The e-mail address of your account was changed.",
    add_factor: "A second factor was added",
    remove_factor: "A second factor was removed",
    create_key: "An API key was created: newsletter.",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told_once_to_the_address_it_had(
    ada: User, change: Callable[[User], None], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        change(ada)
    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert message.body.startswith(CHANGES[change])
    assert "Account: ada" in message.body


def test_other_changes_and_studios_without_mail_send_none(
    ada: User, settings: Settings, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ada.first_name = "Ada"
        ada.save()
        settings.EMAIL_HOST = ""
        change_password(ada)
    assert mail.outbox == []
