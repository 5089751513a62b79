"""Tests that the work a function does grows in proportion to the length of its input."""

from __future__ import annotations

import time
from collections.abc import Callable

FACTOR = 4
"""How many times longer the long text is. Linear work takes 4 times as long, quadratic work 16 times."""
MEASURABLE = 0.02
"""Seconds of CPU; a shorter time says nothing about growth."""
ROUNDS = 6
"""Measurements at most. Whatever else the machine does can only add to a time, so the shortest of each length counts."""


def in_proportion(work: Callable[[str], object], unit: str, times: int, end: str = "") -> bool:
    """Whether ``work`` on ``unit`` repeated ``times``, then ``end``, takes at most twice what linear growth allows.

    Compared with a text a quarter as long. It measures again while the growth looks too steep, because on a busy machine a
    single time may be twice the usual one.
    """
    short, long = unit * (times // FACTOR) + end, unit * times + end
    fastest_short = fastest_long = float("inf")
    for _ in range(ROUNDS):
        fastest_short = min(fastest_short, cpu_seconds(work, short))
        fastest_long = min(fastest_long, cpu_seconds(work, long))
        if fastest_long < max(fastest_short, MEASURABLE) * FACTOR * 2:
            return True
    return False


def cpu_seconds(work: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    work(text)
    return time.process_time() - began
