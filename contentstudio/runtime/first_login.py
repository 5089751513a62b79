"""The first way in: made once, on a store that has no users yet."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from articles.models import ApiKey

NAME = "admin"


@dataclass(frozen=True)
class FirstLogin:
    """What its reader needs to sign in and to call the API. Neither secret can be read back from the store."""

    user: str
    password: str
    api_key: str

    def __str__(self) -> str:
        return f"user: {self.user}\npassword: {self.password}\nAPI key: {self.api_key}\n"


def create_first_login(path: Path) -> FirstLogin | None:
    """Make the first user with an API key and write both to ``path``, for its owner's eyes only; None if there are users.

    The file is written before the user is committed: a login that nobody knows would lock its owner out.
    """
    if User.objects.exists():
        return None
    with transaction.atomic():
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(NAME, password=password)
        _, api_key = ApiKey.objects.issue(user, "first login")
        login = FirstLogin(NAME, password, api_key)
        write_secretly(path, str(login))
    return login


def write_secretly(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` with mode 0600, also where an older file was open to others."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
