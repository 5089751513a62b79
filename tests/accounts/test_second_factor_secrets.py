"""Secrets of second factors are encrypted in the database, and follow SECRET_KEY."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from accounts.second_factors import renew_encryption
from contentstudio.access import encryption
from tests.accounts.totp import code_of
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
OLD, NEW = "an old key of fifty characters, as it was generated", "a new key of fifty characters, as it was generated"


@pytest.fixture
def ada() -> User:
    return UserFactory.create(username="ada")


def enter(user: User, secret: str) -> Any:
    """The answer to the code, after the password."""
    client = Client()
    client.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    return client.post("/sign-in/two-factor/", {"code": code_of(secret)})


def stored(user: User) -> str:
    return str(list(Authenticator.objects.filter(user=user).values_list("data", flat=True)))


def test_a_copy_of_the_database_does_not_hold_them(ada: User) -> None:
    secret = generate_totp_secret()
    TOTP.activate(ada, secret)
    codes = RecoveryCodes.activate(ada).get_unused_codes()
    assert secret not in stored(ada)
    assert stored(ada).count(encryption.PREFIX) == 2
    assert enter(ada, secret).status_code == 302
    assert RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes() == codes


def test_those_stored_before_still_work_and_are_encrypted_by_the_sweeper(ada: User) -> None:
    secret = generate_totp_secret()
    Authenticator.objects.create(user=ada, type="totp", data={"secret": secret})
    assert enter(ada, secret).status_code == 302
    assert renew_encryption() == 1
    assert secret not in stored(ada)
    assert renew_encryption() == 0
    assert TOTP(Authenticator.objects.get()).validate_code(code_of(secret, steps=1))


def test_a_new_key_is_used_at_once_and_the_former_one_can_then_go(ada: User, settings: Settings) -> None:
    settings.SECRET_KEY = OLD
    secret = generate_totp_secret()
    TOTP.activate(ada, secret)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert enter(ada, secret).status_code == 302
    assert renew_encryption() == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert TOTP(Authenticator.objects.get()).validate_code(code_of(secret, steps=1))


def test_without_the_key_nobody_gets_in_and_the_page_says_why(
    ada: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SECRET_KEY = OLD
    secret = generate_totp_secret()
    TOTP.activate(ada, secret)
    settings.SECRET_KEY = NEW
    response = enter(ada, secret)
    assert response.status_code == 403
    assert "the key that it was stored with is missing" in response.content.decode()
    assert "SECRET_KEY_FALLBACKS" in caplog.text
    assert renew_encryption() == 0
