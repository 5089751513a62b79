"""The number of kills and the time limits: few and generous in every test run, many and strict with ``make chaos``.

On a busy machine times say little, so the short form only has timeouts.
"""

from __future__ import annotations

import os
import random

KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
TIMED = "CHAOS_KILLS" in os.environ

PAUSES = (0.2, 2.5) if TIMED else (0.1, 1.2)
"""Minimum and maximum seconds between two kills."""


def within(promised: float, patience: float = 60.0) -> float:
    """The time limit in seconds: ``promised`` if times are measured, else ``patience``."""
    return promised if TIMED else patience
