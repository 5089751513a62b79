"""A PostgreSQL of a test's own, which may be restarted under the studio's feet."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self
from urllib.parse import quote

from setup.postgres import new_cluster, running_server


class Cluster:
    """``url`` is what DATABASE_URL has to say."""

    def __init__(self) -> None:
        self._all, self._server = ExitStack(), ExitStack()

    def __enter__(self) -> Self:
        self._programs, self._directory, self._who = self._all.enter_context(new_cluster())
        self.url = f"postgres://studio@{quote(str(self._directory), safe='')}/postgres"
        self._start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.close()
        self._all.close()

    def restart(self) -> None:
        """Stop it at once, with all connections, and start it again."""
        self._server.close()
        self._start()

    def _start(self) -> None:
        self._server.enter_context(running_server(self._programs, self._directory, self._who))
