"""Waits for a file storage that is another server, while a worker reads or writes a file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

PAUSE = 2.0
"""Seconds between two tries, each of which may itself take some."""

Result = TypeVar("Result")


async def wait_for_storage(work: Callable[[], Result], seconds: float) -> Result:
    """The result of ``work``, tried again for ``seconds`` while it raises ConnectionError, as only another server does.

    It runs in a thread of its own. In that of the database it would keep the leases of all articles from being renewed.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await asyncio.to_thread(work)
        except ConnectionError as error:
            if asyncio.get_running_loop().time() >= deadline:
                raise
            log.warning("a file cannot be read or stored, trying again: %s", error)
        await asyncio.sleep(PAUSE)
