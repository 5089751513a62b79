"""Runs a database query with a time limit that holds even if the server hangs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import connections

Result = TypeVar("Result")


class BoundedQuery(Generic[Result]):
    """Runs ``query`` in one thread for all callers, so that a database that hangs blocks that thread only.

    A statement timeout would not help: a server that is frozen does not enforce it.
    """

    def __init__(self, query: Callable[[], Result], *, seconds: float) -> None:
        self._query = query
        self.seconds = seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bounded-query")
        self._running: Future[Result] | None = None

    def run(self) -> Result:
        """Joins a query that is already running. Raises what ``query`` raises, and TimeoutError after ``seconds``."""
        if self._running is None or self._running.done():
            self._running = self._thread.submit(self._query_and_close)
        try:
            return self._running.result(self.seconds)
        except TimeoutError:
            raise TimeoutError(f"no answer within {self.seconds:g} s") from None

    def _query_and_close(self) -> Result:
        try:
            return self._query()
        finally:
            connections.close_all()  # no request ends in this thread, so Django never closes them
