from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiohttp import web
from ddgs.base import BaseSearchEngine
from ddgs.engines import ENGINES

from agents.contract import Brief, BriefSource, SearchResult
from agents.exceptions import SearchFailed
from agents.research import providers
from agents.research.factory import (
    PROVIDERS,
    choose_search,
    fetcher_from_settings,
    read_for,
    search_from_settings,
    shared_outages,
)
from agents.research.find_pages import find_pages, page_key
from agents.research.providers import Brave, Ddgs, SearXNG, Tavily, Wikipedia, edition, region
from agents.research.search import FallbackSearch, NoSearch, ProviderUnavailable, Search, parse_results, plain
from tests.agents.fixtures.loopback import Handler, answering, page, serving


def recording(answer: object) -> tuple[Handler, list[dict[str, Any]]]:
    """A handler that answers ``answer`` as JSON and notes what it was asked."""
    asked: list[dict[str, Any]] = []

    async def handler(request: web.Request) -> web.Response:
        body = await request.text()
        asked.append({"path": request.path, "query": dict(request.query), "headers": request.headers, "body": body})
        return web.json_response(answer)

    return handler, asked


async def test_tavily_is_asked_with_its_key_and_answers_with_hits():
    handler, asked = recording(
        {"results": [{"title": "Heat pumps", "url": "https://a.org/1", "content": "They heat."}]}
    )
    async with serving(handler) as site:
        hits = await Tavily("tvly-key", address=f"{site}/search").search("how do heat pumps work?", 5)

    assert hits == [SearchResult(title="Heat pumps", url="https://a.org/1", snippet="They heat.")]
    assert asked[0]["headers"]["Authorization"] == "Bearer tvly-key"
    assert json.loads(asked[0]["body"]) == {
        "query": "how do heat pumps work?",
        "max_results": 5,
        "search_depth": "basic",
    }


async def test_brave_is_asked_with_its_key_and_no_more_than_fifty_words():
    row = {"title": "Heat &amp; <strong>pumps</strong>", "url": "https://a.org/1", "description": "They\nheat."}
    handler, asked = recording({"web": {"results": [row, row, row]}})
    async with serving(handler) as site:
        hits = await Brave("brave-key", address=site).search("why " * 80, 2)

    assert hits == [SearchResult(title="Heat & pumps", url="https://a.org/1", snippet="They heat.")] * 2
    assert asked[0]["headers"]["X-Subscription-Token"] == "brave-key"
    assert len(asked[0]["query"]["q"].split()) == 50


@pytest.mark.parametrize("suffix", ["", "/", "/search", "/search/"])
async def test_searxng_is_asked_for_json_in_the_articles_language(suffix: str):
    handler, asked = recording(
        {"results": [{"title": "Wärmepumpe", "url": "https://a.org/1", "content": "Sie heizt."}]}
    )
    async with serving(handler) as site:
        hits = await SearXNG(site + suffix, language="de").search("Wärmepumpe", 3)

    assert hits == [SearchResult(title="Wärmepumpe", url="https://a.org/1", snippet="Sie heizt.")]
    assert asked[0]["path"] == "/search"
    assert asked[0]["query"] == {"q": "Wärmepumpe", "format": "json", "language": "de"}


async def test_a_searxng_without_json_says_what_to_set():
    async with serving(answering(status=403)) as site:
        with pytest.raises(SearchFailed, match=r"settings\.yml must list json"):
            await SearXNG(site).search("heat pumps", 3)


async def test_wikipedia_is_asked_for_words_and_its_pages_come_best_first():
    pages = [
        {"index": 2, "title": "Heat", "fullurl": "https://en.wikipedia.org/wiki/Heat", "extract": "Heat is energy."},
        {
            "index": 1,
            "title": "Heat pump",
            "fullurl": "https://en.wikipedia.org/wiki/Heat_pump",
            "extract": "It pumps.",
        },
        {"title": "Nowhere"},
    ]
    handler, asked = recording({"query": {"pages": pages}})
    async with serving(handler) as site:
        hits = await Wikipedia(address=site).search("How do heat pumps work in the cold?", 5)

    assert [hit.title for hit in hits] == ["Heat pump", "Heat"]
    assert asked[0]["query"]["gsrsearch"] == "heat pump work cold"


async def test_wikipedia_may_know_nothing_or_refuse():
    async with serving(recording({"batchcomplete": True})[0]) as site:
        assert await Wikipedia(address=site).search("heat pumps", 5) == []
    async with serving(recording({"error": {"code": "ratelimited", "info": "Too many requests"}})[0]) as site:
        with pytest.raises(SearchFailed, match="Too many requests"):
            await Wikipedia(address=site).search("heat pumps", 5)


@pytest.fixture
def loopback_engine(monkeypatch: pytest.MonkeyPatch) -> type[BaseSearchEngine[Any]]:
    """A search engine of the ddgs library's own making, whose result pages we serve."""

    class Loopback(BaseSearchEngine[Any]):
        name, category, provider, search_method = "loopback", "text", "loopback", "GET"
        search_url = ""
        items_xpath = "//li"
        elements_xpath: ClassVar = {"title": ".//h2//text()", "href": ".//a/@href", "body": ".//p//text()"}

        def build_payload(self, query: str, *args: object, **kwargs: object) -> dict[str, Any]:
            return {"q": query}

    monkeypatch.setitem(ENGINES["text"], "loopback", Loopback)
    return Loopback


async def test_ddgs_reads_result_pages(loopback_engine: type[BaseSearchEngine[Any]]):
    body = "<ol><li><h2>Heat pump</h2><a href='https://a.org/1'>more</a><p>It heats.</p></li></ol>"
    async with serving(answering(text=body, content_type="text/html")) as site:
        loopback_engine.search_url = site
        hits = await Ddgs(backend="loopback").search("heat pump", 5)

    assert hits == [SearchResult(title="Heat pump", url="https://a.org/1", snippet="It heats.")]


async def test_ddgs_may_find_nothing(loopback_engine: type[BaseSearchEngine[Any]]):
    async with serving(answering(text="<ol></ol>", content_type="text/html")) as site:
        loopback_engine.search_url = site
        assert await Ddgs(backend="loopback").search("heat pump", 5) == []


async def test_ddgs_that_cannot_be_reached_is_a_failed_search(loopback_engine: type[BaseSearchEngine[Any]]):
    loopback_engine.search_url = "http://127.0.0.1:9"
    with pytest.raises(ProviderUnavailable, match="free search"):
        await Ddgs(backend="loopback").search("heat pump", 5)


async def test_ddgs_that_hangs_is_not_waited_for(
    loopback_engine: type[BaseSearchEngine[Any]], monkeypatch: pytest.MonkeyPatch
):
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    monkeypatch.setattr(providers, "SECONDS", 0.2)
    async with serving(hang) as site:
        loopback_engine.search_url = site
        begun = time.monotonic()
        with pytest.raises(ProviderUnavailable, match=r"ddgs did not answer within 0\.2 seconds"):
            await Ddgs(backend="loopback").search("heat pump", 5)
        assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 401, "text": "{}"}, r"refused the search \(401\)\. Check TAVILY_API_KEY"),
        ({"status": 429, "text": "{}"}, "too many requests"),
        ({"text": "<html>"}, "did not return JSON"),
        ({"body": b"\xff\xfe\xfd"}, "did not return JSON"),
        ({"text": "[]"}, "did not return search results"),
    ],
)
async def test_a_provider_that_fails_is_explained(answer: dict[str, Any], reason: str):
    async with serving(answering(**answer)) as site:
        with pytest.raises(SearchFailed, match=reason):
            await Tavily("key", address=site).search("heat pumps", 5)


async def test_a_provider_that_hangs_or_is_gone_is_explained(monkeypatch: pytest.MonkeyPatch):
    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    monkeypatch.setattr(providers, "SECONDS", 0.2)
    async with serving(hang) as site:
        with pytest.raises(SearchFailed, match="did not answer within"):
            await Tavily("key", address=site).search("heat pumps", 5)
    with pytest.raises(SearchFailed, match="could not be reached"):
        await Tavily("key", address=site).search("heat pumps", 5)


@pytest.mark.parametrize(
    "rows",
    [None, "text", 7, [None, 3, "x"], [{"url": "javascript:alert(1)"}, {"url": 5}, {}, {"url": "http://a/" * 400}]],
)
def test_what_is_no_web_page_is_no_hit(rows: object):
    assert parse_results(rows, 5, title="title", url="url", snippet="content") == []


def test_a_hit_without_a_title_is_called_by_its_address():
    assert parse_results([{"url": "https://a.org"}], 5, title="t", url="url", snippet="s")[0].title == "https://a.org"


def test_markup_and_control_characters_are_taken_out():
    assert plain("A <b>bold</b> &lt;tag&gt;\x00\u202e end") == "A bold <tag> end"


class Scripted:
    """A search that answers what it was told to."""

    def __init__(self, name: str, answers: dict[str, list[str]] | None) -> None:
        self.name = name
        self.answers = answers

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        if self.answers is None or query not in self.answers:
            raise SearchFailed(f"{self.name} is down.")
        return [SearchResult(title=url, url=url) for url in self.answers[query]][:limit]


async def test_the_second_provider_answers_where_the_first_fails():
    search: Search = FallbackSearch([Scripted("One", None), Scripted("Two", {"q": ["https://a.org"]})])

    assert search.name == "One, else Two"
    assert [hit.url for hit in await search.search("q", 5)] == ["https://a.org"]


async def test_all_reasons_are_told_where_every_provider_fails():
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
def test_auto_takes_the_first_that_is_configured(settings: dict[str, str], name: str):
    assert choose_search("auto", **settings).name == name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_provider_can_be_named(provider: str):
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
def test_a_provider_that_is_unknown_or_not_configured_is_explained(provider: str, reason: str):
    with pytest.raises(SearchFailed, match=reason):
        choose_search(provider)


def test_the_settings_choose_search_and_fetcher(settings: Any):
    settings.SEARCH_PROVIDER = "brave"
    settings.BRAVE_API_KEY = "key"
    settings.FETCH_ALLOW = ["wiki.intranet"]

    assert search_from_settings("de").name == "Brave"
    assert fetcher_from_settings().allowed.hosts == {"wiki.intranet"}


async def test_a_search_that_is_not_set_up_is_told_and_own_sources_are_read(settings: Any):
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


async def test_what_the_search_finds_is_read(settings: Any):
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/search":
            return web.json_response({"results": [{"title": "Pumps", "url": f"http://{request.host}/pumps"}]})
        return web.Response(text=page("Pumps", "A heat pump moves heat. " * 30), content_type="text/html")

    async with serving(handler) as site:
        settings.SEARCH_PROVIDER, settings.SEARXNG_URL, settings.FETCH_ALLOW = "searxng", site, ["127.0.0.0/8"]
        reading = await read_for(Brief(topic="Heat pumps"), ["How does a heat pump work?", "What does it cost?"])

    assert [source.url for source in reading.sources] == [f"{site}/pumps"]
    assert reading.unread == []


async def test_other_runs_hear_that_a_provider_does_not_answer(settings: Any, tmp_path: Path):
    settings.VAR = tmp_path
    settings.SEARCH_PROVIDER, settings.SEARXNG_URL = "searxng", "http://127.0.0.1:9"
    first = await read_for(Brief(topic="Heat pumps"), ["How does a heat pump work?"])
    async with serving(answering(status=500)) as site:
        # As if it were the same server, which is back now: its outage is still remembered.
        shared_outages(tmp_path / "outages").note(site.removeprefix("http://"), first.unread[0].reason)
        settings.SEARXNG_URL = site
        second = await read_for(Brief(topic="Heat pumps"), ["How does a heat pump work?"])

    assert "SearXNG could not be reached" in first.unread[0].reason
    assert second.unread == first.unread


@pytest.mark.parametrize(
    ("language", "wikipedia", "ddgs"),
    [
        ("en", "en", "us-en"),
        ("en-GB", "en", "uk-en"),
        ("pt-BR", "pt", "br-pt"),
        ("zh-Hans", "zh", "cn-zh"),
        ("nb", "no", "no-no"),
        ("evil.example/", "en", "us-en"),
    ],
)
def test_a_language_has_its_edition_and_region(language: str, wikipedia: str, ddgs: str):
    assert (edition(language), region(language)) == (wikipedia, ddgs)


async def test_questions_are_asked_side_by_side_and_each_gives_its_best():
    search = Scripted(
        "One",
        {"a": ["https://x.org/1", "https://x.org/2"], "b": ["http://www.x.org/2/?utm_source=a", "https://x.org/3"]},
    )

    hits, problems = await find_pages(["a", "b", "c", "d"], search, 10)

    assert [hit.url for hit in hits] == ["https://x.org/1", "http://www.x.org/2/?utm_source=a", "https://x.org/3"]
    assert problems == ["One is down."]


async def test_no_search_finds_nothing_and_has_no_problems():
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
def test_it_knows_two_addresses_of_one_page(one: str, other: str, same: bool):
    assert (page_key(one) == page_key(other)) is same


@pytest.mark.parametrize("address", ["http://[", "https:///x", "https://a.org:port/"])
def test_what_is_no_address_has_no_key(address: str):
    assert page_key(address) == ""


def test_importing_the_package_costs_nothing_until_it_is_used():
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
