"""Checks passwords, wherever they are entered: on the sign-in page, in its dialog, in the admin, or to confirm."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.http import HttpRequest

from accounts.limits import sign_in_attempt


class StudioBackend(ModelBackend):
    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **credentials: Any
    ) -> User | None:
        """Raises TooManyAttempts, which the middleware answers. Attempts without a request, by code, are not limited."""
        if request is None or not username or not password:
            return super().authenticate(request, username, password, **credentials)
        with sign_in_attempt(request, username) as attempt:
            user = super().authenticate(request, username, password, **credentials)
            attempt.succeeded = user is not None
            return user
