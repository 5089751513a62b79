"""Whether a search provider can be reached at all, found out in a moment and remembered for a minute.

A machine without a way out would else wait for every provider, with every question of every run.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from agents.contract import SearchResult
from agents.exceptions import SearchFailed
from agents.research.addresses import Address
from agents.research.fetch import ADDRESSES_TRIED, resolve
from agents.research.search import Provider, Unanswered

log = logging.getLogger(__name__)

SECONDS = 1.5
REMEMBERED_SECONDS = 60.0


@dataclass(frozen=True)
class Outages:
    """Which providers did not answer lately, and what was said of it.

    With a ``folder`` the processes of this machine share it: one file a provider, whose age is that of the news. A file needs no
    server, survives nothing that matters, and is the same for a worker, the terminal and the tests.
    """

    folder: Path | None = None
    seconds: float = REMEMBERED_SECONDS
    _told: dict[str, str] = field(default_factory=dict)

    def reason(self, provider: str) -> str:
        """Why ``provider`` is not worth asking now; empty where nothing is known against it."""
        if provider in self._told or self.folder is None:
            return self._told.get(provider, "")
        try:
            file = self._file(self.folder, provider)
            return file.read_text() if 0 <= time.time() - file.stat().st_mtime < self.seconds else ""
        except FileNotFoundError:
            return ""
        except OSError as error:
            log.warning("what is known of %s could not be read in %s: %s", provider, self.folder, error)
            return ""

    def note(self, provider: str, reason: str) -> None:
        """Remember that ``provider`` did not answer: to the end of this run, and in the folder for a minute."""
        self._told[provider] = reason
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file(self.folder, provider).write_text(reason)
        except OSError as error:
            log.warning("that %s does not answer could not be noted in %s: %s", provider, self.folder, error)

    @staticmethod
    def _file(folder: Path, provider: str) -> Path:
        return folder / re.sub(r"[^\w.-]", "_", provider)


class CircuitBreaker:
    """A provider that is asked only if a connection to it can be made, and no more once it has failed to answer."""

    def __init__(self, provider: Provider, outages: Outages) -> None:
        self.name = provider.name
        self._provider = provider
        self._outages = outages
        self._key = urlsplit(provider.address).netloc
        self._reached = False
        self._reaching = asyncio.Lock()

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        async with self._reaching:  # one question finds out for all
            await self._reach()
        try:
            return await self._provider.search(query, limit)
        except Unanswered as problem:
            self._outages.note(self._key, str(problem))
            raise

    async def _reach(self) -> None:
        if reason := self._outages.reason(self._key):
            raise SearchFailed(reason)
        if self._reached or {"http", "https", "all"} & getproxies().keys():  # a proxy knows its own ways
            return
        try:
            await connect(self._provider.address)
        except OSError as error:  # a TimeoutError is one
            why = error.strerror or str(error) or f"no connection within {SECONDS:g} seconds"
            reason = f"{self.name} could not be reached ({why}). Check this machine's way to the internet."
            self._outages.note(self._key, reason)
            raise SearchFailed(reason) from error
        self._reached = True


async def connect(address: str, seconds: float = SECONDS) -> None:
    """Open a connection to the server of ``address`` and close it again. Raises OSError where that fails or takes too long."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    async with asyncio.timeout(seconds):
        addresses = await resolve(parts.hostname or "", port)
        attempts = [asyncio.ensure_future(_open(one, port)) for one in addresses[:ADDRESSES_TRIED]]
        try:
            await _first(attempts)
        finally:
            for attempt in attempts:
                attempt.cancel()


async def _open(address: Address, port: int) -> None:
    _, writer = await asyncio.open_connection(str(address), port)
    writer.close()


async def _first(attempts: Sequence[asyncio.Future[None]]) -> None:
    """Return once one of ``attempts`` succeeds; raise the last one's error where none does."""
    problem = OSError("the name has no address")
    for attempt in asyncio.as_completed(attempts):
        try:
            return await attempt
        except OSError as error:
            problem = error
    raise problem
