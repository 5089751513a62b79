"""A provider that cannot be reached costs a moment, once, and not every question of every run."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents.contract import SearchResult
from agents.exceptions import SearchFailed
from agents.research import circuit_breaker, factory
from agents.research.circuit_breaker import CircuitBreaker, Outages, connect
from agents.research.factory import shared_outages
from agents.research.find_pages import find_pages
from agents.research.search import FallbackSearch, ProviderUnavailable
from agents.research.threads import run_in_daemon_thread
from tests.agents.fixtures.loopback import answering, serving

NOWHERE = "http://127.0.0.1:9"


class Asked:
    """A provider at ``address`` that notes its questions; ``silent`` ones never answer."""

    def __init__(self, address: str, *, name: str = "One", silent: bool = False) -> None:
        self.name, self.address, self.silent = name, address, silent
        self.questions: list[str] = []

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        self.questions.append(query)
        if self.silent:
            raise ProviderUnavailable(f"{self.name} did not answer.")
        return [SearchResult(title=query, url="https://a.org")]


@contextmanager
def a_server_that_takes_no_connection() -> Iterator[str]:
    """Its queue is full, so that whoever connects waits."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        try:
            yield f"http://127.0.0.1:{address[1]}"
        finally:
            for each in waiting:
                each.close()


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A machine whose resolver hangs; the names it was asked for."""
    over = threading.Event()
    asked: list[str] = []

    def hang(host: str, *_: Any, **__: Any) -> None:
        asked.append(host)
        over.wait(30)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield asked
    over.set()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


async def test_a_provider_that_is_there_is_asked_each_question() -> None:
    async with serving(answering(text="")) as site:
        provider = Asked(site)
        hits, problems = await find_pages(["a", "b"], CircuitBreaker(provider, Outages()), 5)

    assert provider.questions == ["a", "b"]
    assert (len(hits), problems) == (1, [])


async def test_a_provider_that_is_not_there_is_not_asked_and_told_once() -> None:
    provider = Asked(NOWHERE)
    hits, problems = await find_pages(["a", "b", "c", "d"], CircuitBreaker(provider, Outages()), 5)

    assert (hits, provider.questions) == ([], [])
    assert len(problems) == 1
    assert "One could not be reached" in problems[0]
    assert "Check the server's internet connection." in problems[0]


async def test_a_name_that_is_not_resolved_holds_nobody_up(no_names: list[str]) -> None:
    chain = FallbackSearch(
        [CircuitBreaker(Asked(f"https://{host}.example", name=host), Outages()) for host in ("one", "two")]
    )
    begun = time.monotonic()
    _, problems = await find_pages(["a", "b", "c", "d"], chain, 5)

    assert time.monotonic() - begun < 4 * 2 * circuit_breaker.CONNECT_SECONDS, (
        "the names were waited for one after the other"
    )
    assert no_names == ["one.example", "two.example"], "one question finds out for all"
    assert "no connection within 1.5 seconds" in problems[0]


def test_a_process_ends_without_waiting_for_a_name() -> None:
    program = (
        "import asyncio, socket, time\n"
        "from agents.research.circuit_breaker import connect\n"
        "socket.getaddrinfo = lambda *_, **__: time.sleep(60)\n"
        "try:\n"
        "    asyncio.run(connect('https://one.example', seconds=0.1))\n"
        "except TimeoutError:\n"
        "    print('not reached')\n"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20)
    assert answer.stdout == "not reached\n"


async def test_a_server_that_takes_no_connection_holds_nobody_up() -> None:
    with a_server_that_takes_no_connection() as site:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await connect(site, seconds=0.3)
    assert time.monotonic() - begun < 30


async def test_one_of_several_addresses_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answering(text="")) as site:
        port = int(site.rpartition(":")[2])
        answers = [(socket.AF_INET6, 1, 6, "", ("::1", port, 0, 0)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
        await connect(f"http://two.example:{port}")


async def test_a_provider_that_does_not_answer_is_not_asked_again_by_any_run_until_its_outage_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "REMEMBERED_SECONDS", 1)
    async with serving(answering(text="")) as site:
        provider = Asked(site, silent=True)
        search = CircuitBreaker(provider, shared_outages(tmp_path / "outages"))
        for _ in range(2):
            with pytest.raises(SearchFailed, match="One did not answer"):
                await search.search("a", 5)
        with pytest.raises(SearchFailed, match="One did not answer"):
            await CircuitBreaker(provider, shared_outages(tmp_path / "outages")).search("b", 5)
        assert provider.questions == ["a"]

        await asyncio.sleep(1.1)
        with pytest.raises(ProviderUnavailable):
            await CircuitBreaker(provider, shared_outages(tmp_path / "outages")).search("c", 5)
        assert provider.questions == ["a", "c"]


async def test_a_provider_that_refuses_is_there(tmp_path: Path) -> None:
    outages = shared_outages(tmp_path)

    class Refusing(Asked):
        async def search(self, query: str, limit: int) -> list[SearchResult]:
            raise SearchFailed("It refused the search (401).")

    async with serving(answering(text="")) as site:
        with pytest.raises(SearchFailed):
            await CircuitBreaker(Refusing(site), outages).search("a", 5)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_cannot_be_used_costs_the_memory_and_not_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    outages = shared_outages(tmp_path / "file" / "outages")
    outages.note("one.example", "It is away.")

    assert outages.reason("one.example") == "It is away."
    assert outages.reason("two.example") == ""
    assert "are not shared between runs" in caplog.text


async def test_a_folder_that_breaks_later_costs_the_memory_and_not_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outages = shared_outages(tmp_path / "outages")
    (tmp_path / "outages").rmdir()
    (tmp_path / "outages").write_text("")
    outages.note("one.example", "It is away.")

    assert outages.reason("one.example") == "It is away."
    assert outages.reason("two.example") == ""
    assert "could not be stored" in caplog.text
    assert "could not be read" in caplog.text


async def test_where_a_proxy_is_set_the_provider_is_asked_straight_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    provider = Asked(NOWHERE)
    await CircuitBreaker(provider, Outages()).search("a", 5)
    assert provider.questions == ["a"]


async def test_what_work_apart_returns_or_raises_comes_back() -> None:
    assert await run_in_daemon_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await run_in_daemon_thread(lambda: 1 // 0)
