"""Runs blocking calls that cannot be interrupted, such as name look-ups, without waiting for them at exit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


async def run_in_daemon_thread(work: Callable[[], Result]) -> Result:
    """Returns or raises what ``work`` does. Cancelling the caller leaves the thread running.

    asyncio's own threads do not fit: the loop waits for them when it closes, and a few that hang exhaust its pool.
    """
    answer: Future[Result] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # raised where the result is awaited
            answer.set_exception(error)

    answer.set_running_or_notify_cancel()
    Thread(target=run, name="blocking-call", daemon=True).start()
    return await asyncio.wrap_future(answer)
