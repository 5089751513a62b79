"""What processes cost: CPU seconds by the part they play, and memory of their own.

CPU is read before and after a run only: the time of a job's process, which has ended by then, is kept by the worker that
waited for it. Memory has a peak, so it is looked at, but once a second: a look takes milliseconds of a core.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psutil

LOOK_EVERY = 1.0
MIB = 1024 * 1024
Spent = dict[str, float]
"""CPU seconds by part."""

PARTS = {"daphne": "web", "workers": "workers", "sweep": "sweeper", "valkey-server": "redis", "redis-server": "redis"}


def cpu_of_studio(pid: int) -> Spent:
    """CPU seconds of a studio since it began, by part: ``jobs`` wrote the articles, ``workers`` waited for them."""
    supervisor = psutil.Process(pid)
    spent = defaultdict[str, float](float, supervisor=own_seconds(supervisor))
    for program in supervisor.children():
        part = part_of(program)
        spent[part] += own_seconds(program)
        if part == "workers":
            for worker in program.children():
                spent["workers"] += own_seconds(worker)
                spent["jobs"] += ended_seconds(worker)
    return dict(spent)


def since(before: Spent, now: Spent) -> Spent:
    return {part: seconds - before.get(part, 0.0) for part, seconds in now.items()}


def jobs_of_studio(pid: int) -> list[psutil.Process]:
    """The processes that write articles at this moment: each worker forks one."""
    pools = [program for program in psutil.Process(pid).children() if part_of(program) == "workers"]
    workers = [worker for pool in pools for worker in pool.children()]
    return [job for worker in workers for job in worker.children()]


def count_web_processes(pid: int) -> int:
    """How many of the processes of the studio ``pid`` serve HTTP."""
    return sum(part_of(program) == "web" for program in psutil.Process(pid).children(recursive=True))


def part_of(program: psutil.Process) -> str:
    """Which of the studio's programs it is, by its command line."""
    words = " ".join(program.cmdline())
    return next((part for name, part in PARTS.items() if name in words), "other")


def own_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def ended_seconds(process: psutil.Process) -> float:
    """Those of the children it has waited for."""
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def own_memory(process: psutil.Process) -> float:
    """MiB that would be free if it ended (USS); 0 where it has ended."""
    try:
        return float(process.memory_full_info().uss) / MIB
    except psutil.NoSuchProcess:
        return 0.0


class Peak:
    """The highest figure seen, in MiB."""

    def __init__(self) -> None:
        self.value = 0.0

    @asynccontextmanager
    async def watching(self, look: Callable[[], float]) -> AsyncIterator[None]:
        """Look every second inside the block, in a thread: a look waits for the kernel."""

        async def watch() -> None:
            while True:
                self.value = max(self.value, await asyncio.to_thread(look))
                await asyncio.sleep(LOOK_EVERY)

        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()
            await asyncio.wait([watcher])
