"""Each search provider is asked as its API wants it, and its failures are explained."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, ClassVar

import pytest
from aiohttp import web
from ddgs.base import BaseSearchEngine
from ddgs.engines import ENGINES

from agents.contract import SearchResult
from agents.exceptions import SearchFailed
from agents.research import providers
from agents.research.providers import Brave, Ddgs, SearXNG, Tavily, Wikipedia, edition, region
from agents.research.search import ProviderUnavailable, parse_results, plain
from tests.agents.fixtures.loopback import Handler, answering, serving


def recording(answer: object) -> tuple[Handler, list[dict[str, Any]]]:
    """A handler that answers ``answer`` as JSON and notes what it was asked."""
    asked: list[dict[str, Any]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        body = await request.text()
        asked.append({"path": request.path, "query": dict(request.query), "headers": request.headers, "body": body})
        return web.json_response(answer)

    return handler, asked


async def test_tavily_is_asked_with_its_key_and_answers_with_hits() -> None:
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


async def test_brave_is_asked_with_its_key_and_no_more_than_fifty_words() -> None:
    row = {"title": "Heat &amp; <strong>pumps</strong>", "url": "https://a.org/1", "description": "They\nheat."}
    handler, asked = recording({"web": {"results": [row, row, row]}})
    async with serving(handler) as site:
        hits = await Brave("brave-key", address=site).search("why " * 80, 2)

    assert hits == [SearchResult(title="Heat & pumps", url="https://a.org/1", snippet="They heat.")] * 2
    assert asked[0]["headers"]["X-Subscription-Token"] == "brave-key"
    assert len(asked[0]["query"]["q"].split()) == 50


@pytest.mark.parametrize("suffix", ["", "/", "/search", "/search/"])
async def test_searxng_is_asked_for_json_in_the_articles_language(suffix: str) -> None:
    handler, asked = recording(
        {"results": [{"title": "Wärmepumpe", "url": "https://a.org/1", "content": "Sie heizt."}]}
    )
    async with serving(handler) as site:
        hits = await SearXNG(site + suffix, language="de").search("Wärmepumpe", 3)

    assert hits == [SearchResult(title="Wärmepumpe", url="https://a.org/1", snippet="Sie heizt.")]
    assert asked[0]["path"] == "/search"
    assert asked[0]["query"] == {"q": "Wärmepumpe", "format": "json", "language": "de"}


async def test_a_searxng_without_json_says_what_to_set() -> None:
    async with serving(answering(status=403)) as site:
        with pytest.raises(SearchFailed, match=r"settings\.yml must list json"):
            await SearXNG(site).search("heat pumps", 3)


async def test_wikipedia_is_asked_for_words_and_its_pages_come_best_first() -> None:
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


async def test_wikipedia_may_know_nothing_or_refuse() -> None:
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


async def test_ddgs_reads_result_pages(loopback_engine: type[BaseSearchEngine[Any]]) -> None:
    body = "<ol><li><h2>Heat pump</h2><a href='https://a.org/1'>more</a><p>It heats.</p></li></ol>"
    async with serving(answering(text=body, content_type="text/html")) as site:
        loopback_engine.search_url = site
        hits = await Ddgs(backend="loopback").search("heat pump", 5)

    assert hits == [SearchResult(title="Heat pump", url="https://a.org/1", snippet="It heats.")]


async def test_ddgs_may_find_nothing(loopback_engine: type[BaseSearchEngine[Any]]) -> None:
    async with serving(answering(text="<ol></ol>", content_type="text/html")) as site:
        loopback_engine.search_url = site
        assert await Ddgs(backend="loopback").search("heat pump", 5) == []


async def test_ddgs_that_cannot_be_reached_is_a_failed_search(loopback_engine: type[BaseSearchEngine[Any]]) -> None:
    loopback_engine.search_url = "http://127.0.0.1:9"
    with pytest.raises(ProviderUnavailable, match="free search"):
        await Ddgs(backend="loopback").search("heat pump", 5)


async def test_ddgs_that_hangs_is_not_waited_for(
    loopback_engine: type[BaseSearchEngine[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(request: web.BaseRequest) -> web.Response:
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
async def test_a_provider_that_fails_is_explained(answer: dict[str, Any], reason: str) -> None:
    async with serving(answering(**answer)) as site:
        with pytest.raises(SearchFailed, match=reason):
            await Tavily("key", address=site).search("heat pumps", 5)


async def test_a_provider_that_hangs_or_is_gone_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(request: web.BaseRequest) -> web.Response:
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
def test_what_is_no_web_page_is_no_hit(rows: object) -> None:
    assert parse_results(rows, 5, title="title", url="url", snippet="content") == []


def test_a_hit_without_a_title_is_called_by_its_address() -> None:
    assert parse_results([{"url": "https://a.org"}], 5, title="t", url="url", snippet="s")[0].title == "https://a.org"


def test_markup_and_control_characters_are_taken_out() -> None:
    assert plain("A <b>bold</b> &lt;tag&gt;\x00\u202e end") == "A bold <tag> end"


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
def test_a_language_has_its_edition_and_region(language: str, wikipedia: str, ddgs: str) -> None:
    assert (edition(language), region(language)) == (wikipedia, ddgs)
