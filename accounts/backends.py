"""Checks passwords, wherever they are entered: on the sign-in page, in its dialog, or to confirm."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.limits import sign_in_attempt


class StudioBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> User | None:
        """Raises TooManyAttempts, which the middleware answers. Attempts without a request, by code, are not limited."""
        if not username or not password or not may_sign_in_locally(username):
            return None
        if request is None:
            return self._checked(username, password)
        with sign_in_attempt(request, username) as attempt:
            user = self._checked(username, password, request)
            attempt.succeeded = user is not None
            return user

    def _checked(self, username: str, password: str, request: HttpRequest | None = None) -> User | None:
        user: User | None = super().authenticate(request, username=username, password=password)
        return user


def may_sign_in_locally(username: str) -> bool:
    return settings.LOCAL_LOGIN or username in settings.BREAK_GLASS_USERS
