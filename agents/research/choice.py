"""Which search and which fetcher the settings ask for. The one place of this package that knows Django's settings."""

from __future__ import annotations

from agents.exceptions import SearchFailed
from agents.research.addresses import Allowed
from agents.research.fetch import Fetcher
from agents.research.providers import Brave, Ddgs, SearXNG, Tavily, Wikipedia
from agents.research.search import FirstOf, NoSearch, Search

PROVIDERS = ("auto", "tavily", "brave", "searxng", "ddgs", "wikipedia", "none")


def choose_search(
    provider: str, *, tavily_key: str = "", brave_key: str = "", searxng_url: str = "", language: str = "en"
) -> Search:
    """The search that ``provider`` names. ``auto`` takes the first that is configured, else the free ones.

    Raises SearchFailed where the name is unknown or what the provider needs is not set.
    """
    match provider.strip().lower():
        case "auto":
            provider = "tavily" if tavily_key else "brave" if brave_key else "searxng" if searxng_url else "free"
            if provider == "free":
                return FirstOf([Ddgs(language=language), Wikipedia(language=language)])
            return choose_search(
                provider, tavily_key=tavily_key, brave_key=brave_key, searxng_url=searxng_url, language=language
            )
        case "tavily":
            return Tavily(_required("TAVILY_API_KEY", tavily_key))
        case "brave":
            return Brave(_required("BRAVE_API_KEY", brave_key))
        case "searxng":
            return SearXNG(_required("SEARXNG_URL", searxng_url), language=language)
        case "ddgs":
            return Ddgs(language=language)
        case "wikipedia":
            return Wikipedia(language=language)
        case "none":
            return NoSearch()
    raise SearchFailed(f"SEARCH_PROVIDER is {provider!r}, which is unknown. Use one of: {', '.join(PROVIDERS)}.")


def _required(name: str, value: str) -> str:
    if not value:
        raise SearchFailed(f"The search needs {name}, which is not set. Set it, or set SEARCH_PROVIDER=auto.")
    return value


def search_from_settings(language: str = "en") -> Search:
    from django.conf import settings

    return choose_search(
        settings.SEARCH_PROVIDER,
        tavily_key=settings.TAVILY_API_KEY,
        brave_key=settings.BRAVE_API_KEY,
        searxng_url=settings.SEARXNG_URL,
        language=language,
    )


def fetcher_from_settings() -> Fetcher:
    from django.conf import settings

    return Fetcher(allowed=Allowed.parse(settings.FETCH_ALLOW))
