"""Writes many short articles one after the other and samples the memory of the processes that live through all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

from bench.brief import brief
from bench.processes import role_of
from bench.studio import POLL_INTERVAL, StartedStudio
from bench.watchers import Watcher

AT_ONCE = 8
WORDS = 300
ROLES = ("web", "workers", "redis", "sweeper")
MAX_GROWTH = 32
"""MiB by which a role may grow from the second quarter of the articles to the last. The first fills caches."""


@dataclass
class MemoryOfADay:
    """MiB of each role after so many articles."""

    articles: int
    samples: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    failed: int = 0

    def of_quarter(self, number: int, role: str) -> float:
        """The median in a quarter of the articles, counted from 1."""
        low, high = (number - 1) * self.articles / 4, number * self.articles / 4
        found = [memory[role] for written, memory in self.samples if low < written <= high]
        return median(found) if found else 0.0

    def growth(self, role: str) -> float:
        """MiB from the second quarter to the last."""
        return self.of_quarter(4, role) - self.of_quarter(2, role)

    @property
    def is_flat(self) -> bool:
        return all(self.growth(role) <= MAX_GROWTH for role in ROLES)


def memory_of_studio(pid: int) -> dict[str, float]:
    """MiB by role, without the processes of jobs, which end after some articles."""
    found = dict.fromkeys(ROLES, 0.0)
    for program in psutil.Process(pid).children():
        role = role_of(program)
        if role in found:
            found[role] += anonymous_memory(program) + sum(map(anonymous_memory, program.children()))
    return found


def anonymous_memory(process: psutil.Process) -> float:
    """MiB that are not of a file; 0 if it has ended. Unlike USS it does not change when a fork of the process ends."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Anonymous:"))


async def measure_memory(studio: StartedStudio, articles: int) -> MemoryOfADay:
    day, numbers = MemoryOfADay(articles), iter(range(articles))
    written = 0
    every = max(articles // 40, 1)

    async def write_some() -> None:
        nonlocal written
        for number in numbers:
            if not await write_one(studio, number):
                day.failed += 1
            written += 1
            if written % every == 0:
                day.samples.append((written, await asyncio.to_thread(memory_of_studio, studio.pid)))

    await asyncio.gather(*(write_some() for _ in range(AT_ONCE)))
    return day


async def write_one(studio: StartedStudio, number: int) -> bool:
    short = {"include_image": False, "seo_optimize": False, "min_words": WORDS}
    request = {**brief(WORDS, number), **short}
    async with studio.api.post("/api/articles/create", json=request) as response:
        created = await response.json()
        if response.status != 201:
            return False
    final = await Watcher(studio.api, created["id"]).follow()
    await asyncio.sleep(POLL_INTERVAL)
    return bool(final["status"] == "completed")


def quarters(day: MemoryOfADay, role: str) -> Sequence[float]:
    return [day.of_quarter(number, role) for number in (1, 2, 3, 4)]
