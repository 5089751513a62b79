"""How work grows with the text it is given: a matter of the code, where seconds are one of the machine."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMES = 4
"""How many times longer the long text is. Work in proportion takes as many times as long, work that squares sixteen."""
TOO_SHORT = 0.02
"""Seconds of CPU that tell nothing: of less than these no growth is made out."""


def in_proportion(work: Callable[[str], object], unit: str, times: int, end: str = "") -> bool:
    """Does ``work`` on ``unit`` repeated ``times``, then ``end``, take no more than a quarter of it and ``times`` allow?"""
    short, long = (cpu_seconds(work, unit * count + end) for count in (times // TIMES, times))
    return long < max(short, TOO_SHORT) * TIMES * 2


def cpu_seconds(work: Callable[[str], object], text: str) -> float:
    """The best of two: the first may pay for what is made only once."""
    taken = []
    for _ in range(2):
        began = time.process_time()
        work(text)
        taken.append(time.process_time() - began)
    return min(taken)
