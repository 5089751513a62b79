"""Searches are chosen by the settings, replace one another, and their hits are merged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agents.contract import Brief, BriefSource, SearchResult
from agents.exceptions import SearchFailed
from agents.research.factory import (
    PROVIDERS,
    choose_search,
    fetcher_from_settings,
    read_for,
    search_from_settings,
    shared_outages,
)
from agents.research.find_pages import find_pages, page_key
from agents.research.search import FallbackSearch, NoSearch, Search
from tests.agents.fixtures.loopback import answering, page, serving


class Scripted:
    """A search that answers what it was told to."""

    def __init__(self, name: str, answers: dict[str, list[str]] | None) -> None:
        self.name = name
        self.answers = answers

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        if self.answers is None or query not in self.answers:
            raise SearchFailed(f"{self.name} is down.")
        return [SearchResult(title=url, url=url) for url in self.answers[query]][:limit]


async def test_the_second_provider_answers_where_the_first_fails() -> None:
    search: Search = FallbackSearch([Scripted("One", None), Scripted("Two", {"q": ["https://a.org"]})])

    assert search.name == "One, else Two"
    assert [hit.url for hit in await search.search("q", 5)] == ["https://a.org"]


async def test_all_reasons_are_told_where_every_provider_fails() -> None:
    with pytest.raises(SearchFailed, match=r"One is down\. Two is down\."):
        await FallbackSearch([Scripted("One", None), Scripted("Two", None)]).search("q", 5)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"tavily_key": "k", "brave_key": "k", "searxng_url": "http://s"}, "Tavily"),
        ({"brave_key": "k", "searxng_url": "http://s"}, "Brave"),
        ({"searxng_url": "http://s"}, "SearXNG"),
        ({}, "ddgs, else Wikipedia"),
    ],
)
def test_auto_takes_the_first_that_is_configured(settings: dict[str, Any], name: str) -> None:
    assert choose_search("auto", **settings).name == name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_can_be_named(provider: str) -> None:
    search = choose_search(f" {provider.title()} ", tavily_key="k", brave_key="k", searxng_url="http://s")

    assert provider == "auto" or search.name.lower() == provider


@pytest.mark.parametrize(
    ("provider", "reason"),
    [
        ("tavily", "needs TAVILY_API_KEY"),
        ("brave", "needs BRAVE_API_KEY"),
        ("searxng", "needs SEARXNG_URL"),
        ("altavista", "'altavista', which is unknown. Use one of: auto, tavily"),
    ],
)
def test_a_provider_that_is_unknown_or_not_configured_is_explained(provider: str, reason: str) -> None:
    with pytest.raises(SearchFailed, match=reason):
        choose_search(provider)


def test_the_settings_choose_search_and_fetcher(settings: Any) -> None:
    settings.SEARCH_PROVIDER = "brave"
    settings.BRAVE_API_KEY = "key"
    settings.FETCH_ALLOW = ["wiki.intranet"]

    assert search_from_settings("de").name == "Brave"
    assert fetcher_from_settings().allowed.hosts == {"wiki.intranet"}


async def test_a_search_that_is_not_set_up_is_told_and_own_sources_are_read(settings: Any) -> None:
    settings.SEARCH_PROVIDER = "tavily"
    settings.TAVILY_API_KEY = ""
    brief = Brief(
        topic="Heat pumps", sources=[BriefSource(id=1, text="A heat pump moves heat from one place to another.")]
    )

    reading = await read_for(brief, ["How does a heat pump work?"])

    assert [source.brief_source for source in reading.sources] == [1]
    assert [unread.reason for unread in reading.unread] == [
        "The search needs TAVILY_API_KEY, which is not set. Set it, or set SEARCH_PROVIDER=auto."
    ]


async def test_what_the_search_finds_is_read(settings: Any) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        if request.path == "/search":
            return web.json_response({"results": [{"title": "Pumps", "url": f"http://{request.host}/pumps"}]})
        return web.Response(text=page("Pumps", "A heat pump moves heat. " * 30), content_type="text/html")

    async with serving(handler) as site:
        settings.SEARCH_PROVIDER, settings.SEARXNG_URL, settings.FETCH_ALLOW = "searxng", site, ["127.0.0.0/8"]
        reading = await read_for(Brief(topic="Heat pumps"), ["How does a heat pump work?", "What does it cost?"])

    assert [source.url for source in reading.sources] == [f"{site}/pumps"]
    assert reading.unread == []


async def test_other_runs_hear_that_a_provider_does_not_answer(settings: Any, tmp_path: Path) -> None:
    settings.LOCAL = tmp_path
    settings.SEARCH_PROVIDER, settings.SEARXNG_URL = "searxng", "http://127.0.0.1:9"
    first = await read_for(Brief(topic="Heat pumps"), ["How does a heat pump work?"])
    async with serving(answering(status=500)) as site:
        # As if it were the same server, which is back now: its outage is still remembered.
        shared_outages(tmp_path / "outages").note(site.removeprefix("http://"), first.unread[0].reason)
        settings.SEARXNG_URL = site
        second = await read_for(Brief(topic="Heat pumps"), ["How does a heat pump work?"])

    assert "SearXNG could not be reached" in first.unread[0].reason
    assert second.unread == first.unread


async def test_questions_are_asked_side_by_side_and_each_gives_its_best() -> None:
    search = Scripted(
        "One",
        {"a": ["https://x.org/1", "https://x.org/2"], "b": ["http://www.x.org/2/?utm_source=a", "https://x.org/3"]},
    )

    hits, problems = await find_pages(["a", "b", "c", "d"], search, 10)

    assert [hit.url for hit in hits] == ["https://x.org/1", "http://www.x.org/2/?utm_source=a", "https://x.org/3"]
    assert problems == ["One is down."]


async def test_no_search_finds_nothing_and_has_no_problems() -> None:
    assert await find_pages(["a"], NoSearch(), 5) == ([], [])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Example.org/a/", "http://www.example.org:80/a#part", True),
        ("https://a.org/?b=1&a=2", "https://a.org/?a=2&b=1&fbclid=x", True),
        ("https://a.org/?page=1", "https://a.org/?page=2", False),
        ("https://a.org:8443/", "https://a.org/", False),
    ],
)
def test_it_knows_two_addresses_of_one_page(one: str, other: str, same: bool) -> None:
    assert (page_key(one) == page_key(other)) is same


@pytest.mark.parametrize("address", ["http://[", "https:///x", "https://a.org:port/"])
def test_what_is_no_address_has_no_key(address: str) -> None:
    assert page_key(address) == ""


def test_importing_the_package_costs_nothing_until_it_is_used() -> None:
    program = (
        "import sys, agents.research as research\n"
        "slow = {'httpx', 'trafilatura', 'bm25s', 'numpy', 'ddgs', 'pypdf', 'django'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
        "import agents.research.reading, agents.research.factory, agents.text.ranking\n"
        "assert slow & set(sys.modules) <= {'httpx'}, slow & set(sys.modules)\n"
        "research.preload()\n"
        "assert {'trafilatura', 'bm25s', 'ddgs.ddgs'} <= set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
