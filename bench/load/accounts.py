"""Creates users in a studio's database and prints how they sign in, as JSON. Runs with the studio's own environment.

They get sessions without signing in: 200 passwords at once would be hashed for a minute, on purpose.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bench.environment import ROOT


@dataclass(frozen=True)
class Account:
    """``session`` is the value of its cookie."""

    name: str
    key: str
    session: str


def create(writers: int, readers: int) -> list[Account]:
    """Writers see their own articles; readers are editors, who see all."""
    from django.contrib.auth.models import Group, User

    editors = Group.objects.get(name="Editors")
    users = [User.objects.create_user(f"writer{number}") for number in range(writers)]
    for number in range(readers):
        users.append(User.objects.create_user(f"reader{number}", is_staff=True))
        users[-1].groups.add(editors)
    return [account_of(user) for user in users]


def account_of(user: object) -> Account:
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    from articles.models import ApiKey

    assert isinstance(user, User)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key
    return Account(user.username, ApiKey.objects.issue(user, "load")[1], session.session_key)


async def create_accounts(environment: Mapping[str, str], writers: int, readers: int) -> list[Account]:
    """Run this module with the environment of a studio. Raises RuntimeError."""
    command = [sys.executable, "-m", "bench.load.accounts", str(writers), str(readers)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stdout=PIPE)
    printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"The users could not be created (exit code {process.returncode}); see above.")
    return [Account(**each) for each in json.loads(printed)]


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps([asdict(each) for each in create(*map(int, sys.argv[1:3]))]))
