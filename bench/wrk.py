"""Measures request throughput with wrk."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from setup import debian

SCRIPT = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True)
class Throughput:
    """Result of one wrk run: requests per second, and the latency of single requests in milliseconds."""

    requests_per_second: float
    p50: float
    p99: float


async def measure_throughput(
    url: str, headers: Mapping[str, str], *, connections: int = 16, seconds: float = 5
) -> Throughput:
    """Request ``url`` on ``connections`` keep-alive connections, each as fast as it is answered.

    Raises RuntimeError if any response is not a success: error pages must not count as throughput.
    """
    command = [debian.wrk(), "--threads=1", f"--connections={connections}", f"--duration={max(1, round(seconds))}s"]
    fields = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
    process = await asyncio.create_subprocess_exec(
        *command, "--timeout=30s", f"--script={SCRIPT}", *fields, url, stdout=PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"wrk exited with code {process.returncode}.")
    result = json.loads(output.splitlines()[-1])
    if result["refused"] or result["broken"]:
        raise RuntimeError(f"{url}: {result['refused']} error responses and {result['broken']} broken connections.")
    return Throughput(result["requests"] / result["duration"] * 1e6, result["p50"] / 1000, result["p99"] / 1000)
