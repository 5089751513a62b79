"""Waiting for what cannot be interrupted, such as a look-up of a name, no longer than one wants to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


async def run_in_daemon_thread(work: Callable[[], Result]) -> Result:
    """What ``work`` returns or raises, from a thread of its own.

    Whoever stops waiting leaves the thread to its end. asyncio's own threads are waited for when its loop closes, and a few
    that hang would take the places of all that is to be done there.
    """
    answer: Future[Result] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # it is raised where the answer is awaited
            answer.set_exception(error)

    answer.set_running_or_notify_cancel()
    Thread(target=run, name="apart", daemon=True).start()
    return await asyncio.wrap_future(answer)
