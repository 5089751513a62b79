"""CPU time and memory of processes.

CPU time is read before and after a run: the time of a job process that has ended is then part of its worker's. Memory
has to be sampled for its peak, but only once a second, because a sample takes milliseconds of CPU.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psutil

SAMPLE_INTERVAL = 1.0
MIB = 1024 * 1024
CpuSeconds = dict[str, float]
"""CPU seconds by role."""

ROLES = {"daphne": "web", "workers": "workers", "sweep": "sweeper", "valkey-server": "redis", "redis-server": "redis"}
"""The role of a program of the studio, by a word of its command line."""


def cpu_of_studio(pid: int) -> CpuSeconds:
    """CPU seconds of a studio since it started, by role. ``jobs`` wrote the articles, ``workers`` waited for them."""
    supervisor = psutil.Process(pid)
    seconds = defaultdict[str, float](float, supervisor=cpu_seconds(supervisor))
    for program in supervisor.children():
        role = role_of(program)
        seconds[role] += cpu_seconds(program)
        for child in program.children():
            seconds[role] += cpu_seconds(child)
            if role == "workers":
                seconds["jobs"] += cpu_seconds_of_ended_children(child)
    return dict(seconds)


def difference(before: CpuSeconds, after: CpuSeconds) -> CpuSeconds:
    return {role: seconds - before.get(role, 0.0) for role, seconds in after.items()}


def job_processes(pid: int) -> list[psutil.Process]:
    """The processes of a studio that are writing articles now: each worker forks one."""
    pools = [program for program in psutil.Process(pid).children() if role_of(program) == "workers"]
    workers = [worker for pool in pools for worker in pool.children()]
    return [job for worker in workers for job in worker.children()]


def count_web_processes(pid: int) -> int:
    """How many processes of a studio serve HTTP; one that only started others does not."""
    web = [program for program in psutil.Process(pid).children(recursive=True) if role_of(program) == "web"]
    return len({program.pid for program in web} - {program.ppid() for program in web})


def role_of(program: psutil.Process) -> str:
    command = " ".join(program.cmdline())
    return next((role for word, role in ROLES.items() if word in command), "other")


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def cpu_seconds_of_ended_children(process: psutil.Process) -> float:
    """Only of children that it has waited for."""
    times = process.cpu_times()
    return float(times.children_user + times.children_system)


def unique_memory(process: psutil.Process) -> float:
    """MiB that would be freed if the process ended (USS); 0 if it has ended."""
    try:
        return float(process.memory_full_info().uss) / MIB
    except psutil.NoSuchProcess:
        return 0.0


class PeakMemory:
    """The highest sample, in MiB."""

    def __init__(self) -> None:
        self.value = 0.0

    @asynccontextmanager
    async def sampled(self, read: Callable[[], float]) -> AsyncIterator[None]:
        """Call ``read`` every second inside the block, in a thread because it blocks."""

        async def sample() -> None:
            while True:
                self.value = max(self.value, await asyncio.to_thread(read))
                await asyncio.sleep(SAMPLE_INTERVAL)

        sampler = asyncio.create_task(sample())
        try:
            yield
        finally:
            sampler.cancel()
            await asyncio.wait([sampler])
