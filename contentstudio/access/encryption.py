"""Encrypts small secrets for the database, with keys derived from SECRET_KEY and SECRET_KEY_FALLBACKS.

Who reads the database or a backup, but not the key, learns nothing. New values are encrypted with SECRET_KEY; older ones can be
read as long as their key is among the fallbacks.
"""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "fernet:"


class KeyMissing(Exception):
    """None of the keys can decrypt the value: SECRET_KEY has changed, or the value was damaged."""


def encrypt(text: str) -> str:
    return PREFIX + cipher().encrypt(text.encode()).decode()


def decrypt(stored: str) -> str:
    """Values without the prefix were stored before values were encrypted. Raises KeyMissing."""
    if not stored.startswith(PREFIX):
        return stored
    try:
        return cipher().decrypt(stored.removeprefix(PREFIX).encode()).decode()
    except InvalidToken as error:
        raise KeyMissing from error


def is_current(stored: str) -> bool:
    """Whether the value is encrypted with SECRET_KEY itself."""
    try:
        fernet(settings.SECRET_KEY).decrypt(stored.removeprefix(PREFIX).encode())
    except InvalidToken:
        return False
    return stored.startswith(PREFIX)


def cipher() -> MultiFernet:
    return MultiFernet([fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@lru_cache(maxsize=16)
def fernet(key: str) -> Fernet:
    """A key of its own, from which SECRET_KEY cannot be computed."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"contentstudio secrets in the database").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
