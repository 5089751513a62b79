from __future__ import annotations

import asyncio
import hashlib
import random
import time
from pathlib import Path

import pytest
import typst
from aiohttp import web

from agents.contract import BriefSource, SearchResult
from agents.research import reading as reading_module
from agents.research.addresses import Allowed
from agents.research.documents import Document, read_page
from agents.research.fetch import Fetched, Fetcher
from agents.research.reading import OUT_OF_TIME, UNEXPECTED, read_all, read_while_finding
from tests.agents.fixtures.loopback import page, serving

FETCHER = Fetcher(allowed=Allowed.parse(["127.0.0.0/8"]), seconds=5)
NOUNS = ("pump", "house", "garden", "winter", "river", "bridge", "market", "street", "window", "letter", "forest")


def article(seed: int, words: int = 100) -> str:
    """An article's text that is like no other seed's."""
    chance = random.Random(seed)
    return " ".join(
        f"The {' '.join(chance.choices(NOUNS, k=7))} number {seed * 1000 + place} stands here."
        for place in range(words // 12)
    )


def hits(site: str, *paths: str) -> list[SearchResult]:
    return [SearchResult(title=f"Found {path}", url=site + path) for path in paths]


class Site:
    """Pages by number: ``/7`` is the seventh article. What is asked for is noted, and what is asked for at once is counted."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.asked: list[str] = []
        self.now = self.most = 0

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(request.path)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(60 if request.path.startswith("/slow") else self.delay)
        self.now -= 1
        number = request.path.strip("/").rpartition("-")[2]
        if not number.isdigit():
            return web.Response(status=404)
        return web.Response(text=page(f"Page {number}", article(int(number))), content_type="text/html")


async def test_own_sources_come_first_and_every_passage_can_be_found_in_its_source(tmp_path: Path) -> None:
    file = tmp_path / "kept-name.txt"
    file.write_text(article(21, 400))
    async with serving(Site()) as site:
        own = [
            BriefSource(id=31, text=article(20)),
            BriefSource(id=32, title="My file", path=str(file)),
            BriefSource(id=33, url=f"{site}/22"),
        ]
        reading = await read_all(own, hits(site, "/1", "/2"), fetcher=FETCHER, seconds=5, limit=5)

    assert [source.number for source in reading.sources] == [1, 2, 3, 4, 5]
    assert [source.brief_source for source in reading.sources] == [31, 32, 33, None, None]
    assert [source.title for source in reading.sources[1:]] == ["My file", "Page 22", "Page 1", "Page 2"]
    assert reading.sources[0].title == " ".join(article(20).split()[:10]) + " …"
    assert reading.sources[0].sha256 == hashlib.sha256(article(20).encode()).hexdigest()
    assert reading.sources[0].words == len(article(20).split())
    assert reading.sources[2].url == f"{site}/22"
    assert [passage.id for passage in reading.passages] == [f"S{n}" for n in range(1, len(reading.passages) + 1)]
    assert [passage.source for passage in reading.passages] == [1, 2, 2, 2, 3, 4, 5]
    assert all(article(21, 400)[p.start : p.end] == p.text for p in reading.passages if p.source == 2)
    assert reading.unread == []


async def test_a_short_own_source_is_a_passage_even_where_it_is_no_prose() -> None:
    own = [BriefSource(id=1, text="Opening hours\nMonday"), BriefSource(id=2, text="One line is enough.")]

    reading = await read_all(own, [], fetcher=FETCHER, seconds=1, limit=5)

    assert [passage.text for passage in reading.passages] == ["Opening hours\nMonday", "One line is enough."]


async def test_what_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    own = [
        BriefSource(id=1, title="Scan", path=str(tmp_path / "gone.pdf")),
        BriefSource(id=2, text="\x00"),
        BriefSource(id=3, url="http://10.0.0.1/wiki"),
        BriefSource(id=4, text=article(1)),
    ]
    async with serving(Site()) as site:
        reading = await read_all(own, hits(site, "/none"), fetcher=FETCHER, seconds=5, limit=5)

    assert [source.brief_source for source in reading.sources] == [4]
    told = {unread.brief_source: unread for unread in reading.unread}
    assert "Upload it again" in told[1].reason
    assert "no text" in told[2].reason
    assert "private network" in told[3].reason
    assert told[3].title == "http://10.0.0.1/wiki"
    assert "no such page" in told[None].reason
    assert told[None].title == "Found /none"


async def test_a_page_that_says_the_same_as_another_is_no_second_source() -> None:
    own = [BriefSource(id=1, title="Mine", text=article(7))]
    async with serving(Site()) as site:
        reading = await read_all(own, hits(site, "/7", "/8", "/copy-8"), fetcher=FETCHER, seconds=5, limit=5)

    assert [source.title for source in reading.sources] == ["Mine", "Page 8"]
    assert [unread.reason for unread in reading.unread] == [
        "Same content as “Mine”.",
        "Same content as “Page 8”.",
    ]


async def test_a_passage_that_is_said_twice_is_kept_once() -> None:
    shared = article(5)
    own = [BriefSource(id=n, text=f"{article(n)}\n\n{shared}") for n in (1, 2)]

    reading = await read_all(own, [], fetcher=FETCHER, seconds=1, limit=5)

    assert len(reading.sources) == 2
    assert sum(shared in passage.text for passage in reading.passages) == 1


async def test_a_source_that_only_repeats_others_keeps_a_passage_all_the_same() -> None:
    parts = [article(n) for n in range(1, 9)]
    own = [BriefSource(id=1, text="\n".join(parts)), BriefSource(id=2, text=parts[0])]

    reading = await read_all(own, [], fetcher=FETCHER, seconds=1, limit=5)

    assert [passage.source for passage in reading.passages] == [1] * 8 + [2]


async def test_a_page_the_brief_names_is_not_read_a_second_time_because_it_was_found() -> None:
    handler = Site()
    async with serving(handler) as site:
        own = [BriefSource(id=1, url=f"{site}/1")]
        reading = await read_all(own, hits(site, "/1/?utm_source=x"), fetcher=FETCHER, seconds=5, limit=5)

    assert handler.asked == ["/1"]
    assert len(reading.sources) == 1


async def test_later_hits_stand_in_for_pages_that_cannot_be_read_and_the_rest_is_left_alone() -> None:
    handler = Site(delay=0.02)
    async with serving(handler) as site:
        paths = ["/none", *(f"/{n}" for n in range(1, 30))]
        reading = await read_all([], hits(site, *paths), fetcher=FETCHER, seconds=5, limit=4)

    assert [source.title for source in reading.sources] == ["Page 1", "Page 2", "Page 3", "Page 4"]
    assert [unread.title for unread in reading.unread] == ["Found /none"]
    assert len(handler.asked) < 12


async def test_no_more_than_six_pages_are_read_at_once() -> None:
    handler = Site(delay=0.05)
    async with serving(handler) as site:
        own = [BriefSource(id=n, url=f"{site}/{n}") for n in range(1, 10)]
        reading = await read_all(own, hits(site, "/21", "/22", "/23"), fetcher=FETCHER, seconds=5, limit=5)

    assert handler.most == 6
    assert len(reading.sources) == 12


async def test_found_pages_have_so_many_seconds_and_own_sources_all_they_need() -> None:
    async with serving(Site(delay=0.6)) as site:
        own = [BriefSource(id=1, url=f"{site}/1")]
        found = hits(site, "/2", *(f"/slow-{n}" for n in range(3, 12)))
        begun = time.monotonic()
        reading = await read_all(own, found, fetcher=FETCHER, seconds=0.3, limit=8)

    assert time.monotonic() - begun < 30
    assert [source.brief_source for source in reading.sources] == [1]
    assert [(unread.title, unread.reason) for unread in reading.unread] == [(hit.title, OUT_OF_TIME) for hit in found]


async def test_own_sources_are_read_while_the_search_goes_on() -> None:
    handler = Site()
    async with serving(handler) as site:

        async def search() -> tuple[list[SearchResult], list[str]]:
            while not handler.asked:  # else it would wait for ever
                await asyncio.sleep(0.01)
            return hits(site, "/1", "/2"), ["One of two is down."]

        own = [BriefSource(id=1, url=f"{site}/1")]
        reading = await read_while_finding(own, search, fetcher=FETCHER, seconds=5, limit=5)

    assert [source.brief_source for source in reading.sources] == [1, None]
    assert handler.asked == ["/1", "/2"]
    assert [(unread.title, unread.reason) for unread in reading.unread] == [("Search", "One of two is down.")]


async def test_a_search_without_end_costs_its_seconds_and_no_own_source() -> None:
    async def search() -> tuple[list[SearchResult], list[str]]:
        await asyncio.sleep(60)
        return [], []

    begun = time.monotonic()
    own = [BriefSource(id=1, text=article(1))]
    reading = await read_while_finding(own, search, fetcher=FETCHER, seconds=0.2, limit=5)

    assert time.monotonic() - begun < 30
    assert [source.brief_source for source in reading.sources] == [1]
    assert "did not answer within 0.2 seconds" in reading.unread[0].reason


async def test_the_search_and_its_pages_share_their_seconds() -> None:
    async with serving(Site(delay=0.6)) as site:

        async def search() -> tuple[list[SearchResult], list[str]]:
            await asyncio.sleep(0.6)
            return hits(site, "/1"), []

        reading = await read_while_finding([], search, fetcher=FETCHER, seconds=1.0, limit=5)

    assert reading.sources == []
    assert [unread.reason for unread in reading.unread] == [OUT_OF_TIME]


async def test_nothing_given_is_an_empty_reading() -> None:
    reading = await read_all([], [], fetcher=FETCHER, seconds=1, limit=0)

    assert (reading.sources, reading.passages, reading.unread) == ([], [], [])


async def test_a_page_that_makes_a_library_fail_is_unread_and_the_others_are_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def read_or_break(page: Fetched) -> Document:
        if page.url.endswith("/2"):
            raise OverflowError("of a library")
        return await read_page(page)

    monkeypatch.setattr(reading_module, "read_page", read_or_break)
    async with serving(Site()) as site:
        own = [BriefSource(id=1, url=f"{site}/1"), BriefSource(id=2, url=f"{site}/2")]
        reading = await read_all(own, hits(site, "/2", "/3"), fetcher=FETCHER, seconds=20, limit=2)
    assert [source.title for source in reading.sources] == ["Page 1", "Page 3"]
    assert [(unread.brief_source, unread.reason) for unread in reading.unread] == [(2, UNEXPECTED)]
    assert "could not be read" in caplog.text


async def test_the_link_of_a_pasted_text_is_kept_and_not_fetched() -> None:
    given = {"publisher": "Institute of Roofs", "author": "A. Writer", "date": "2024-05"}
    async with serving(Site()) as site:
        pasted = BriefSource(id=7, text=article(21), url=f"{site}/7", **given)
        other = BriefSource(id=8, url=f"{site}/8")
        found = hits(site, "/7", "/9")
        reading = await read_all([pasted, other], found, fetcher=FETCHER, seconds=5, limit=6)
    assert [source.url for source in reading.sources] == [f"{site}/{number}" for number in (7, 8, 9)]
    source = reading.sources[0]
    assert source.model_dump(include=set(given)) == given
    assert source.brief_source == 7
    assert reading.passages[0].text in article(21)


async def test_passages_of_a_pdf_know_their_page(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    pages = [article(seed, 300) for seed in (31, 32, 33)]
    file.write_bytes(typst.compile("\n#pagebreak()\n".join(pages).encode()))
    pasted = BriefSource(id=2, text=article(34, 300))
    reading = await read_all([BriefSource(id=1, path=str(file)), pasted], [], fetcher=FETCHER, seconds=5, limit=0)
    for passage in reading.passages:
        numbers = {number for number, text in enumerate(pages, 1) if passage.text[:30] in text}
        assert numbers == ({passage.page} if passage.page else set())
    assert {passage.page for passage in reading.passages if passage.source == 1} == {1, 2, 3}
    assert {passage.page for passage in reading.passages if passage.source == 2} == {0}


@pytest.mark.parametrize("paragraphs", [1, 2, 4])
async def test_each_fact_of_a_pdf_of_forty_pages_is_cited_from_its_page(tmp_path: Path, paragraphs: int) -> None:
    file, facts = (
        tmp_path / "report.pdf",
        {number: f"Town {number} has {1000 + 37 * number} trees." for number in range(1, 41)},
    )
    pages = [
        "\n\n".join([*(article(100 * number + place, 70) for place in range(paragraphs)), fact])
        for number, fact in facts.items()
    ]
    file.write_bytes(
        typst.compile(
            "\n#pagebreak()\n".join(['#set page("a4")', *pages]).replace("\n#pagebreak()\n", "\n", 1).encode()
        )
    )
    reading = await read_all([BriefSource(id=1, path=str(file))], [], fetcher=FETCHER, seconds=5, limit=0)
    found = {
        number: next(each.page for each in reading.passages if fact in each.text) for number, fact in facts.items()
    }
    assert found == {number: number for number in facts}


async def test_a_pasted_text_is_notes_unless_it_was_published() -> None:
    head = "Source: https://www.energy.gov/report\nPublisher: Department"
    texts = [article(41), f"{head}\n\n{article(42)}", f"By Ann Lee\n{article(43)}"]
    pasted = [BriefSource(id=number, text=text) for number, text in enumerate(texts, 1)]
    reading = await read_all(pasted, [], fetcher=FETCHER, seconds=5, limit=0)
    notes, official, signed = reading.sources
    assert (notes.kind, notes.language) == ("notes", "en")
    assert (official.kind, official.publisher, official.url) == (
        "official",
        "Department",
        "https://www.energy.gov/report",
    )
    assert (signed.kind, signed.author) == ("", "Ann Lee")
    for source in reading.sources:
        text = article(40 + source.number)
        passages = [passage for passage in reading.passages if passage.source == source.number]
        assert all(text[passage.start : passage.end] == passage.text for passage in passages)


async def test_a_pasted_text_is_of_the_kind_that_its_head_states() -> None:
    """Also on an official host, which may publish the words of others."""
    text = f"Source: https://www.energy.gov/report\nKind: press release of a manufacturer\n\n{article(45)}"
    reading = await read_all([BriefSource(id=1, text=text)], [], fetcher=FETCHER, seconds=5, limit=0)
    assert reading.sources[0].kind == "press release of a manufacturer"


async def test_what_the_person_says_takes_precedence_over_the_head() -> None:
    text = f"https://example.org/head\nKind: study\nPublisher: Head\nPublished: 2020\n\n{article(44)}"
    given = BriefSource(
        id=1, text=text, url="https://example.org/given", kind="own notes", publisher="Given", date="2024"
    )
    reading = await read_all([given], [], fetcher=FETCHER, seconds=5, limit=0)
    (source,) = reading.sources
    assert (source.url, source.kind) == ("https://example.org/given", "own notes")
    assert (source.publisher, source.date) == ("Given", "2024")
