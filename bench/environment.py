"""What the measured processes see of the environment: what runs a program, and no setting of the developer's."""

from __future__ import annotations

import os

KEPT = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH")


def clean_environment(**settings: str) -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ} | settings
