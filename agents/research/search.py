"""The interface of web searches, and helpers to normalise their results."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from agents.contract import SearchResult
from agents.exceptions import SearchFailed

TAG = re.compile(r"<[^<>]{0,200}>")
LONGEST_TITLE, LONGEST_SNIPPET, LONGEST_URL = 200, 400, 2000


class Search(Protocol):
    """Finds pages that may answer a question."""

    name: str

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """At most ``limit`` results, best first. Raises SearchFailed."""
        ...


class Provider(Search, Protocol):
    """A search served by one host. ``address`` is a URL that must be reachable for it to work."""

    address: str


class ProviderUnavailable(SearchFailed):
    """The provider cannot be reached or does not answer, and need not be asked again for a while."""


class NoSearch:
    """Finds nothing: only the brief's own sources are read."""

    name = "none"

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        return []


class FallbackSearch:
    """Asks the providers in order until one answers."""

    def __init__(self, searches: Sequence[Search]) -> None:
        self.name = ", else ".join(search.name for search in searches)
        self._searches = searches

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        problems = []
        for search in self._searches:
            try:
                return await search.search(query, limit)
            except SearchFailed as problem:
                problems.append(str(problem))
        raise SearchFailed(" ".join(problems))


def parse_results(rows: object, limit: int, *, title: str, url: str, snippet: str) -> list[SearchResult]:
    """Results from a provider's ``rows``; ``title``, ``url`` and ``snippet`` name its fields. Rows without a URL are skipped."""
    if not isinstance(rows, Iterable):
        return []
    results = (_result(row, title, url, snippet) for row in rows if isinstance(row, Mapping))
    return [result for result in results if result is not None][:limit]


def _result(row: Mapping[str, Any], title: str, url: str, snippet: str) -> SearchResult | None:
    address = row.get(url)
    if not isinstance(address, str) or not address.startswith(("http://", "https://")) or len(address) > LONGEST_URL:
        return None
    return SearchResult(
        title=plain(row.get(title))[:LONGEST_TITLE] or address,
        url=address,
        snippet=plain(row.get(snippet))[:LONGEST_SNIPPET],
    )


def plain(text: object) -> str:
    """One line of plain text from a provider's markup (bold matches, entities)."""
    if not isinstance(text, str):
        return ""
    line = html.unescape(TAG.sub("", text))
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())
