"""The directory and the environment in which measured processes run."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSED_ON = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH")


def clean_environment(**settings: str) -> dict[str, str]:
    """``settings`` and what any program needs to run, without the studio settings of this shell."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | settings
