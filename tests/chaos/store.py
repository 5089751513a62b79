"""A private PostgreSQL server that a test can restart while a studio uses it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from setup.postgres import new_cluster


class Cluster:
    """``url`` is its DATABASE_URL."""

    def __init__(self) -> None:
        self._all, self._server = ExitStack(), ExitStack()

    def __enter__(self) -> Self:
        self._cluster = self._all.enter_context(new_cluster())
        self.url = self._cluster.url("postgres")
        self._start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.close()
        self._all.close()

    def restart(self) -> None:
        """Stop it at once, closing all connections, and start it again."""
        self._server.close()
        self._start()

    def _start(self) -> None:
        self._server.enter_context(self._cluster.running())
