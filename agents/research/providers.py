"""The five search providers. Their addresses are arguments, so that tests can use servers of their own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx

from agents.contract import SearchResult
from agents.exceptions import SearchFailed
from agents.research.fetch import USER_AGENT, tls_context
from agents.research.search import ProviderUnavailable, parse_results
from agents.research.threads import run_in_daemon_thread
from agents.text.ranking import terms

SECONDS = 6.0
NO_ANSWER = "{} did not answer within {:g} seconds. Try again later."


class Tavily:
    """https://docs.tavily.com/documentation/api-reference/endpoint/search"""

    name = "Tavily"

    def __init__(self, key: str, *, address: str = "https://api.tavily.com/search") -> None:
        self._key = key
        self.address = address

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        answer = await ask(
            httpx.Request(
                "POST",
                self.address,
                headers={"Authorization": f"Bearer {self._key}"},
                json={"query": query[:400], "max_results": min(limit, 20), "search_depth": "basic"},
            ),
            self.name,
            advice="Check TAVILY_API_KEY.",
        )
        return parse_results(answer.get("results"), limit, title="title", url="url", snippet="content")


class Brave:
    """https://api-dashboard.search.brave.com/app/documentation/web-search/get-started"""

    name = "Brave"

    def __init__(self, key: str, *, address: str = "https://api.search.brave.com/res/v1/web/search") -> None:
        self._key = key
        self.address = address

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        query = " ".join(query.split()[:50])[:400]  # the API refuses more
        answer = await ask(
            httpx.Request(
                "GET",
                self.address,
                headers={"X-Subscription-Token": self._key, "Accept": "application/json"},
                params={"q": query, "count": min(limit, 20), "text_decorations": "0"},
            ),
            self.name,
            advice="Check BRAVE_API_KEY.",
        )
        web = answer.get("web")
        rows = web.get("results") if isinstance(web, Mapping) else None
        return parse_results(rows, limit, title="title", url="url", snippet="description")


class SearXNG:
    """https://docs.searxng.org/dev/search_api.html"""

    name = "SearXNG"

    def __init__(self, address: str, *, language: str = "en") -> None:
        self.address = address.rstrip("/").removesuffix("/search") + "/search"
        self._language = language

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        answer = await ask(
            httpx.Request("GET", self.address, params={"q": query[:400], "format": "json", "language": self._language}),
            self.name,
            advice="Its settings.yml must list json under search.formats, and SEARXNG_URL must point to it.",
        )
        return parse_results(answer.get("results"), limit, title="title", url="url", snippet="content")


class Wikipedia:
    """https://www.mediawiki.org/wiki/API:Search, in the article's language."""

    name = "Wikipedia"

    def __init__(self, *, language: str = "en", address: str = "") -> None:
        self.address = address or f"https://{edition(language)}.wikipedia.org/w/api.php"

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        # A page must contain every word, so a whole question finds nothing.
        words = " ".join(terms(query)[:8]) or query
        answer = await ask(
            httpx.Request(
                "GET",
                self.address,
                params={
                    "action": "query",
                    "format": "json",
                    "formatversion": "2",
                    "generator": "search",
                    "gsrsearch": words[:300],
                    "gsrlimit": str(min(limit, 20)),
                    "prop": "info|extracts",
                    "inprop": "url",
                    "exintro": "1",
                    "explaintext": "1",
                    "exsentences": "2",
                    "exlimit": "max",
                },
            ),
            self.name,
            advice="Try again later, or choose another SEARCH_PROVIDER.",
        )
        if isinstance(problem := answer.get("error"), Mapping):
            raise SearchFailed(f"Wikipedia refused the search: {str(problem.get('info'))[:200]}")
        found = answer.get("query")
        pages = found.get("pages") if isinstance(found, Mapping) else None
        rows = [page for page in pages if isinstance(page, Mapping)] if isinstance(pages, list) else []
        rows.sort(key=lambda page: page["index"] if isinstance(page.get("index"), int) else limit)
        return parse_results(rows, limit, title="title", url="fullurl", snippet="extract")


class Ddgs:
    """DuckDuckGo and others through the ddgs library, which scrapes their result pages: needs no key, may fail at any time."""

    name = "ddgs"
    address = "https://duckduckgo.com"  # the first one it asks

    def __init__(self, *, language: str = "en", backend: str = "auto", seconds: int = 5) -> None:
        self._region = region(language)
        self._backend = backend
        self._seconds = seconds

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        try:
            async with asyncio.timeout(SECONDS):
                rows = await run_in_daemon_thread(partial(self._ask, query[:400], limit))
        except TimeoutError as error:
            raise ProviderUnavailable(NO_ANSWER.format(self.name, SECONDS)) from error
        return parse_results(rows, limit, title="title", url="href", snippet="body")

    def _ask(self, query: str, limit: int) -> list[dict[str, Any]]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException

        try:
            rows: list[dict[str, Any]] = DDGS(timeout=self._seconds).text(
                query, region=self._region, max_results=limit, backend=self._backend
            )
        except DDGSException as error:
            if "No results found" in str(error):
                return []
            raise ProviderUnavailable(
                "The free search (ddgs) did not answer. Try again later, or set a search key."
            ) from error
        return rows


async def ask(request: httpx.Request, provider: str, *, advice: str) -> Mapping[str, Any]:
    """The JSON object of a provider's response. Raises SearchFailed, with ``advice`` if the provider refuses."""
    request.headers["User-Agent"] = USER_AGENT
    try:
        async with asyncio.timeout(SECONDS), httpx.AsyncClient(verify=tls_context(), timeout=SECONDS) as client:
            response = await client.send(request)
    except (TimeoutError, httpx.TimeoutException) as error:
        raise ProviderUnavailable(NO_ANSWER.format(provider, SECONDS)) from error
    except httpx.RequestError as error:
        raise ProviderUnavailable(
            f"{provider} could not be reached ({error or type(error).__name__}). {advice}"
        ) from error
    if response.status_code == 429:
        raise SearchFailed(
            f"{provider} refused the search: too many requests (429). Try again later, or upgrade your plan."
        )
    if not response.is_success:
        raise SearchFailed(f"{provider} refused the search ({response.status_code}). {advice}")
    try:
        answer = response.json()
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SearchFailed(f"{provider} did not return JSON. {advice}") from error
    if not isinstance(answer, Mapping):
        raise SearchFailed(f"{provider} did not return search results. {advice}")
    return answer


def edition(language: str) -> str:
    """The subdomain of the Wikipedia in this language (a BCP 47 tag); English if the tag is invalid."""
    primary = language.partition("-")[0].lower()
    return {"nb": "no"}.get(primary, primary) if re.fullmatch(r"[a-z]{2,3}", primary) else "en"


def region(language: str) -> str:
    """The region code of ddgs for a BCP 47 tag: ``us-en`` for ``en``, ``br-pt`` for ``pt-BR``."""
    primary = edition(language)
    countries = [part.lower() for part in language.split("-")[1:] if re.fullmatch(r"[A-Za-z]{2}", part)]
    country = countries[0] if countries else {"en": "us", "ja": "jp", "ko": "kr", "zh": "cn"}.get(primary, primary)
    return f"{'uk' if country == 'gb' else country}-{primary}"
