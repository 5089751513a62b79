"""Builds the search and the fetcher from Django's settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from agents.contract import Brief, Reading, SearchResult
from agents.exceptions import SearchFailed
from agents.research.addresses import Allowed
from agents.research.circuit_breaker import CircuitBreaker, Outages
from agents.research.documents import LoadFile, load_from_disk
from agents.research.fetch import Fetcher
from agents.research.find_pages import find_pages
from agents.research.providers import Brave, Ddgs, SearXNG, Tavily, Wikipedia
from agents.research.reading import read_while_finding
from agents.research.search import FallbackSearch, NoSearch, Provider, Search

log = logging.getLogger(__name__)

PROVIDERS = ("auto", "tavily", "brave", "searxng", "ddgs", "wikipedia", "none")
HITS, PAGES = 12, 6
REMEMBERED_SECONDS = 60


async def read_for(brief: Brief, questions: Sequence[str], load: LoadFile = load_from_disk) -> Reading:
    """Reads the brief's own sources and what the search finds for ``questions``.

    Failed searches are listed in ``unread``. The search and its pages have RESEARCH_SECONDS; own sources are always read,
    uploaded ones with ``load``.
    """
    from django.conf import settings

    async def search() -> tuple[list[SearchResult], list[str]]:
        try:
            outages = shared_outages(settings.LOCAL / "outages")
            return await find_pages(questions, search_from_settings(brief.language, outages), HITS)
        except SearchFailed as problem:  # it is not configured correctly
            return [], [str(problem)]

    return await read_while_finding(
        brief.sources,
        search,
        fetcher=fetcher_from_settings(),
        seconds=settings.RESEARCH_SECONDS,
        limit=PAGES,
        load=load,
    )


def shared_outages(folder: Path) -> Outages:
    """Outages that all processes of this machine remember for a minute. Files need no server, unlike Redis.

    Another machine may reach what this one cannot.
    """
    from django.core.cache.backends.filebased import FileBasedCache

    try:
        return Outages(FileBasedCache(str(folder), {"TIMEOUT": REMEMBERED_SECONDS}))
    except OSError as error:
        log.warning("outages of search providers are not shared between runs: %s", error)
        return Outages()


def choose_search(
    provider: str,
    *,
    tavily_key: str = "",
    brave_key: str = "",
    searxng_url: str = "",
    language: str = "en",
    outages: Outages | None = None,
) -> Search:
    """The search named ``provider``. ``auto`` takes the first one configured, else the free ones in order.

    ``outages`` remembers providers that do not answer. Raises SearchFailed for an unknown name or a missing setting.
    """
    name = provider.strip().lower()
    if name not in PROVIDERS:
        raise SearchFailed(f"SEARCH_PROVIDER is {name!r}, which is unknown. Use one of: {', '.join(PROVIDERS)}.")
    if name == "none":
        return NoSearch()
    names = [name]
    if name == "auto":
        configured = {"tavily": tavily_key, "brave": brave_key, "searxng": searxng_url}
        names = [each for each, needed in configured.items() if needed][:1] or ["ddgs", "wikipedia"]
    make: dict[str, Callable[[], Provider]] = {
        "tavily": lambda: Tavily(_required("TAVILY_API_KEY", tavily_key)),
        "brave": lambda: Brave(_required("BRAVE_API_KEY", brave_key)),
        "searxng": lambda: SearXNG(_required("SEARXNG_URL", searxng_url), language=language),
        "ddgs": lambda: Ddgs(language=language),
        "wikipedia": lambda: Wikipedia(language=language),
    }
    known = outages or Outages()
    searches = [CircuitBreaker(make[each](), known) for each in names]
    return FallbackSearch(searches) if len(searches) > 1 else searches[0]


def _required(name: str, value: str) -> str:
    if not value:
        raise SearchFailed(f"The search needs {name}, which is not set. Set it, or set SEARCH_PROVIDER=auto.")
    return value


def search_from_settings(language: str = "en", outages: Outages | None = None) -> Search:
    from django.conf import settings

    return choose_search(
        settings.SEARCH_PROVIDER,
        tavily_key=settings.TAVILY_API_KEY,
        brave_key=settings.BRAVE_API_KEY,
        searxng_url=settings.SEARXNG_URL,
        language=language,
        outages=outages,
    )


def fetcher_from_settings() -> Fetcher:
    from django.conf import settings

    return Fetcher(allowed=Allowed.parse(settings.FETCH_ALLOW))
