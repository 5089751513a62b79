"""A circuit breaker for search providers: tests the connection first, and remembers outages.

Without it, a machine without internet access would wait for each provider with each question of each run.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from agents.contract import SearchResult
from agents.exceptions import SearchFailed
from agents.research.addresses import Address
from agents.research.fetch import MAX_ADDRESSES, resolve
from agents.research.search import Provider, ProviderUnavailable

if TYPE_CHECKING:
    from django.core.cache import BaseCache

log = logging.getLogger(__name__)

CONNECT_SECONDS = 1.5


class Outages:
    """Remembers providers that did not answer: to the end of a run, and in the ``shared`` cache until its entries expire."""

    def __init__(self, shared: BaseCache | None = None) -> None:
        self._reasons: dict[str, str] = {}
        self._shared = shared

    def reason(self, provider: str) -> str:
        """Why ``provider`` should not be asked now; empty if no outage is known."""
        if provider in self._reasons or self._shared is None:
            return self._reasons.get(provider, "")
        try:
            return str(self._shared.get(provider, ""))
        except OSError as error:
            log.warning("the known outages could not be read: %s", error)
            return ""

    def note(self, provider: str, reason: str) -> None:
        self._reasons[provider] = reason
        if self._shared is None:
            return
        try:
            self._shared.set(provider, reason)
        except OSError as error:
            log.warning("the outage of %s could not be stored: %s", provider, error)


class CircuitBreaker:
    """Asks a provider only if it can be reached and has no known outage."""

    def __init__(self, provider: Provider, outages: Outages) -> None:
        self.name = provider.name
        self._provider = provider
        self._outages = outages
        self._key = urlsplit(provider.address).netloc
        self._reachable = False
        self._testing = asyncio.Lock()

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        async with self._testing:  # the first question tests for all
            await self._require_reachable()
        try:
            return await self._provider.search(query, limit)
        except ProviderUnavailable as problem:
            self._outages.note(self._key, str(problem))
            raise

    async def _require_reachable(self) -> None:
        if reason := self._outages.reason(self._key):
            raise SearchFailed(reason)
        if self._reachable or {"http", "https", "all"} & getproxies().keys():  # the proxy connects
            return
        try:
            await connect(self._provider.address)
        except OSError as error:  # a TimeoutError is one
            why = error.strerror or str(error) or f"no connection within {CONNECT_SECONDS:g} seconds"
            reason = f"{self.name} could not be reached ({why}). Check the server's internet connection."
            self._outages.note(self._key, reason)
            raise SearchFailed(reason) from error
        self._reachable = True


async def connect(address: str, seconds: float = CONNECT_SECONDS) -> None:
    """Opens and closes a connection to the host of ``address``. Raises OSError if that fails or takes too long."""
    parts = urlsplit(address)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    async with asyncio.timeout(seconds):
        addresses = await resolve(parts.hostname or "", port)
        attempts = [asyncio.ensure_future(_open(one, port)) for one in addresses[:MAX_ADDRESSES]]
        try:
            await _first(attempts)
        finally:
            for attempt in attempts:
                attempt.cancel()


async def _open(address: Address, port: int) -> None:
    _, writer = await asyncio.open_connection(str(address), port)
    writer.close()


async def _first(attempts: Sequence[asyncio.Future[None]]) -> None:
    """Returns when one attempt succeeds. Raises the last error if none does."""
    problem = OSError("the name has no address")
    for attempt in asyncio.as_completed(attempts):
        try:
            return await attempt
        except OSError as error:
            problem = error
    raise problem
