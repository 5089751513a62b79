"""Keeps the secrets of second factors encrypted with the current key."""

from __future__ import annotations

import logging
from typing import Any

from allauth.mfa.models import Authenticator

from contentstudio.access import encryption

log = logging.getLogger(__name__)

SECRET_FIELDS = ("secret", "seed")
"""Of an authenticator app, and of recovery codes. A passkey's data is public."""


def renew_encryption() -> int:
    """Encrypt secrets that were stored as they are, or with an earlier SECRET_KEY. Returns how many factors changed."""
    changed = 0
    types = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for factor in Authenticator.objects.filter(type__in=types).iterator():
        try:
            renewed = renewed_data(factor.data)
        except encryption.KeyMissing:
            log.critical("A second factor of %s cannot be read with SECRET_KEY or SECRET_KEY_FALLBACKS.", factor.user)
            continue
        if renewed != factor.data:
            # Only if nobody has changed it since: a recovery code may have been used.
            changed += Authenticator.objects.filter(pk=factor.pk, data=factor.data).update(data=renewed)
    return changed


def renewed_data(data: dict[str, Any]) -> dict[str, Any]:
    """Raises KeyMissing."""
    return {name: renewed(value) if name in SECRET_FIELDS else value for name, value in data.items()}


def renewed(stored: str) -> str:
    return stored if encryption.is_current(stored) else encryption.encrypt(encryption.decrypt(stored))
