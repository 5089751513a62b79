"""Which search and which fetcher the settings ask for. The one place of this package that knows Django's settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agents.contract import Brief, Reading, SearchResult
from agents.exceptions import SearchFailed
from agents.research.addresses import Allowed
from agents.research.circuit_breaker import CircuitBreaker, Outages
from agents.research.fetch import Fetcher
from agents.research.find_pages import find
from agents.research.providers import Brave, Ddgs, SearXNG, Tavily, Wikipedia
from agents.research.reading import read_while_finding
from agents.research.search import FirstOf, NoSearch, Provider, Search

PROVIDERS = ("auto", "tavily", "brave", "searxng", "ddgs", "wikipedia", "none")
HITS, PAGES = 12, 6


async def read_for(brief: Brief, questions: Sequence[str]) -> Reading:
    """All that can be read for ``questions``: the brief's own sources and, beside them, what the search finds.

    A search that fails is told in ``unread``: the run goes on with what it has. The search and the pages it finds have
    RESEARCH_SECONDS together; own sources are read however long they take.
    """
    from django.conf import settings

    async def search() -> tuple[list[SearchResult], list[str]]:
        try:
            outages = Outages(settings.VAR / "outages")
            return await find(questions, search_from_settings(brief.language, outages), HITS)
        except SearchFailed as problem:  # it is not set up as it should be
            return [], [str(problem)]

    return await read_while_finding(
        brief.sources, search, fetcher=fetcher_from_settings(), seconds=settings.RESEARCH_SECONDS, limit=PAGES
    )


def choose_search(
    provider: str,
    *,
    tavily_key: str = "",
    brave_key: str = "",
    searxng_url: str = "",
    language: str = "en",
    outages: Outages | None = None,
) -> Search:
    """The search that ``provider`` names. ``auto`` takes the first that is configured, else the free ones in turn.

    ``outages`` is what is known of providers that do not answer. Raises SearchFailed where the name is unknown or what the
    provider needs is not set.
    """
    name = provider.strip().lower()
    if name not in PROVIDERS:
        raise SearchFailed(f"SEARCH_PROVIDER is {name!r}, which is unknown. Use one of: {', '.join(PROVIDERS)}.")
    if name == "none":
        return NoSearch()
    names = [name]
    if name == "auto":
        set_up = {"tavily": tavily_key, "brave": brave_key, "searxng": searxng_url}
        names = [each for each, needed in set_up.items() if needed][:1] or ["ddgs", "wikipedia"]
    make: dict[str, Callable[[], Provider]] = {
        "tavily": lambda: Tavily(_required("TAVILY_API_KEY", tavily_key)),
        "brave": lambda: Brave(_required("BRAVE_API_KEY", brave_key)),
        "searxng": lambda: SearXNG(_required("SEARXNG_URL", searxng_url), language=language),
        "ddgs": lambda: Ddgs(language=language),
        "wikipedia": lambda: Wikipedia(language=language),
    }
    known = outages or Outages()
    searches = [CircuitBreaker(make[each](), known) for each in names]
    return FirstOf(searches) if len(searches) > 1 else searches[0]


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
