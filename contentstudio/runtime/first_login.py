"""The first login of a new installation: created if there are no users, kept in a file until its password is changed."""

from __future__ import annotations

import os
import re
import secrets
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.db.models.signals import post_save
from django.http import HttpRequest

from articles.models import ApiKey

NAME = "admin"
NOTE = "This file is deleted when the password is changed."
REMINDER = (
    "You use the password the studio was set up with. Change it in the menu under your name: until then it is in a file on"
    " the server."
)


def create_first_login() -> bool:
    """Create the first user with an API key, and write both to FIRST_LOGIN_FILE (0600); False if there are users.

    The file is written before the transaction commits: otherwise a crash could leave a user whose password is lost.
    """
    if User.objects.exists():
        return False
    with transaction.atomic():
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(NAME, password=password)
        _, api_key = ApiKey.objects.issue(user, "first login")
        text = f"user: {NAME}\npassword: {password}\nAPI key: {api_key}\n{NOTE}\n"
        write_private_file(settings.FIRST_LOGIN_FILE, text)
    return True


def write_private_file(path: Path, text: str) -> None:
    """Write a file with mode 0600, even if one with other permissions was there."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def has_first_password(user: User) -> bool:
    """Whether the file still holds the password of this user."""
    if user.get_username() != NAME:
        return False
    try:
        text = settings.FIRST_LOGIN_FILE.read_text()
    except FileNotFoundError:
        return False
    found = re.search(r"^password: (.+)$", text, re.MULTILINE)
    return found is not None and user.check_password(found[1])


def delete_file_if_changed(sender: Any, *, instance: User, created: bool, update_fields: Any, **kwargs: Any) -> None:
    """Receives every change of a user: passwords are changed on a page, in the admin and by a command."""
    may_be_changed = not created and (update_fields is None or "password" in update_fields)
    if may_be_changed and instance.get_username() == NAME and not has_first_password(instance):
        transaction.on_commit(partial(settings.FIRST_LOGIN_FILE.unlink, missing_ok=True))


def ask_to_change_password(sender: Any, *, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    if has_first_password(user):
        messages.warning(request, REMINDER, fail_silently=True)  # type: ignore[arg-type]  # then there is no session either


def connect() -> None:
    post_save.connect(delete_file_if_changed, sender=User, dispatch_uid="first_login.delete")
    user_logged_in.connect(ask_to_change_password, dispatch_uid="first_login.ask")
