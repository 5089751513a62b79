"""An authenticator app: codes of a secret, as RFC 6238 computes them."""

from __future__ import annotations

import base64
import hmac
import struct
import time


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code at this time, or so many steps of 30 s later."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + steps), "sha1")
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
