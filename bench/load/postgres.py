"""A PostgreSQL server for the load, with the durability of a real one, and its CPU time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.processes import cpu_seconds, cpu_seconds_of_ended_children
from setup import postgres


@dataclass(frozen=True)
class ServerProcess:
    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Of the server and all its sessions since it started."""
        running = sum(cpu_seconds(child) for child in self.process.children())
        return cpu_seconds(self.process) + cpu_seconds_of_ended_children(self.process) + running


@contextmanager
def running_postgres() -> Iterator[ServerProcess]:
    with postgres.new_cluster() as cluster, cluster.running():
        words = str(cluster.directory / "data")
        servers = [child for child in psutil.Process().children() if words in child.cmdline()]
        yield ServerProcess(cluster.url("postgres"), servers[0])
