"""What a search is to the studio: one method, whoever answers it, and one way to fail."""

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
        """At most ``limit`` hits, best first. Raises SearchFailed with a reason a person can act on."""
        ...


class Provider(Search, Protocol):
    """A search by one server. ``address`` is its URL, or that of one it cannot do without."""

    address: str


class Unanswered(SearchFailed):
    """The provider is not there or does not answer: it need not be asked again at once."""


class NoSearch:
    """Finds nothing: only what the brief brings is read."""

    name = "none"

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        return []


class FirstOf:
    """Asks one provider after the other until one can answer."""

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


def hits_from(rows: object, limit: int, *, title: str, url: str, snippet: str) -> list[SearchResult]:
    """Hits out of a provider's ``rows``, under the names its fields have. Rows that are not a web page are left out."""
    if not isinstance(rows, Iterable):
        return []
    hits = (_hit(row, title, url, snippet) for row in rows if isinstance(row, Mapping))
    return [hit for hit in hits if hit is not None][:limit]


def _hit(row: Mapping[str, Any], title: str, url: str, snippet: str) -> SearchResult | None:
    address = row.get(url)
    if not isinstance(address, str) or not address.startswith(("http://", "https://")) or len(address) > LONGEST_URL:
        return None
    return SearchResult(
        title=plain(row.get(title))[:LONGEST_TITLE] or address,
        url=address,
        snippet=plain(row.get(snippet))[:LONGEST_SNIPPET],
    )


def plain(text: object) -> str:
    """One line of text out of what a provider may have marked up (found words in bold, entities)."""
    if not isinstance(text, str):
        return ""
    line = html.unescape(TAG.sub("", text))
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())
