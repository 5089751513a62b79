"""A question to the database that is given up in time: one that froze never answers, and no timeout of its own ends that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import connections

Answer = TypeVar("Answer")


class BoundedQuery(Generic[Answer]):
    """``look`` by a thread of its own, one for all who ask: a database that hangs costs that thread and no other."""

    def __init__(self, look: Callable[[], Answer], *, patience: float) -> None:
        """``patience`` in seconds."""
        self._look = look
        self.patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inquiry")
        self._asked: Future[Answer] | None = None

    def ask(self) -> Answer:
        """Raises what ``look`` does, and TimeoutError where there is no answer in time, also to whoever asked before."""
        if self._asked is None or self._asked.done():
            self._asked = self._thread.submit(self._look_and_close)
        try:
            return self._asked.result(self.patience)
        except TimeoutError:
            raise TimeoutError(f"it has been silent for {self.patience:g} s") from None

    def _look_and_close(self) -> Answer:
        try:
            return self._look()
        finally:
            connections.close_all()  # no request ends in this thread, so nobody else would
