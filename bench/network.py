"""Ports of the servers that are measured."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import Process

POLL_INTERVAL = 0.1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def wait_until_listening(process: Process, port: int) -> None:
    """Wait until ``process`` accepts connections. Raises RuntimeError if it exits instead."""
    while process.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(POLL_INTERVAL)
        else:
            writer.close()
            return
    raise RuntimeError(f"A measured server exited with code {process.returncode}; see its output above.")
