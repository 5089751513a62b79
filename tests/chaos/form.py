"""Which form of these tests runs: the short one is part of every test run, ``make chaos`` also holds the studio to its times.

On a machine that does other things as well, seconds tell little of the studio; the short form only knows when to stop waiting.
"""

from __future__ import annotations

import os
import random

KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
SEED = int(os.environ.get("CHAOS_SEED") or random.randrange(10**6))
TIMED = "CHAOS_KILLS" in os.environ

PAUSES = (0.2, 2.5) if TIMED else (0.1, 1.2)
"""Seconds between two kills, at the least and at the most."""


def within(promised: float, patience: float = 60.0) -> float:
    """Seconds in which something has to be done: what is ``promised`` where that is measured."""
    return promised if TIMED else patience
