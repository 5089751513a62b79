"""Simulated users: each reads, thinks for some seconds, and keeps sockets open, as a person or a program does."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from bench.brief import brief
from bench.load.accounts import Account
from bench.watchers import PageWatcher, Watcher

THINK_SECONDS = (2.0, 8.0)  # of a person, between two pages
POLL_SECONDS = 2.0  # of a program that waits for an article
REQUEST_SECONDS = 30.0
SEQ_OF_PAGE = re.compile(rb'data-seq="(\d+)"')
EXPECTED_CLOSE = 1000  # of a socket whose article has ended


@dataclass
class Samples:
    """What users experienced: seconds of each kind of request and of events on their way, and errors."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    sockets: int = 0
    messages: int = 0


@dataclass
class Site:
    """The studio that all users visit. ``articles`` are those that were created so far."""

    address: str
    connector: aiohttp.BaseConnector
    words: int
    samples: Samples = field(default_factory=Samples)
    articles: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class User:
    """A browser with a session, and a client with an API key."""

    def __init__(self, site: Site, account: Account, number: int) -> None:
        self.site, self.number = site, number
        self.random = random.Random(number)  # noqa: S311  # the same visits in each measurement
        self.browser = self.session({"Cookie": f"sessionid={account.session}"})
        self.client = self.session({"Authorization": f"Bearer {account.key}"})

    def session(self, headers: dict[str, str]) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self.site.address,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=self.site.connector,
            connector_owner=False,
            timeout=aiohttp.ClientTimeout(None),
        )

    async def close(self) -> None:
        await self.browser.close()
        await self.client.close()

    async def think(self) -> None:
        await asyncio.sleep(self.random.uniform(*THINK_SECONDS))

    async def get(self, session: aiohttp.ClientSession, kind: str, path: str) -> bytes:
        """The body. Errors are counted."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(REQUEST_SECONDS), session.get(path, allow_redirects=False) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.site.samples.errors[f"{kind}: {type(error).__name__}"] += 1
            return b""
        self.site.samples.seconds[kind].append(time.monotonic() - start)
        if response.status != 200:
            self.site.samples.errors[f"{kind}: {response.status}"] += 1
        return body

    async def listen(self, path: str, seconds: float, after: int) -> int:
        """Keep a socket open for ``seconds``, or until the studio closes it because its article has ended.

        It sends what is newer than event ``after``. Returns the newest event of a socket for programs.
        """
        samples = self.site.samples
        try:
            async with self.client.ws_connect(f"{path}?after={after}") as socket:
                samples.sockets += 1
                try:
                    async with asyncio.timeout(seconds):
                        async for message in socket:
                            samples.messages += 1
                            if message.data.startswith("{"):
                                after = max(after, json.loads(message.data).get("seq", 0))
                except TimeoutError:
                    return after
                if socket.close_code != EXPECTED_CLOSE:
                    samples.errors[f"socket: closed with {socket.close_code}"] += 1
        except aiohttp.ClientError as error:
            samples.errors[f"socket: {type(error).__name__}"] += 1
        return after

    async def read(self) -> None:
        """A person who looks at the list and at articles, also while they are written."""
        await asyncio.sleep(self.random.uniform(0, THINK_SECONDS[1]))  # not all at the same moment
        while not self.site.ended.is_set():
            await self.get(self.browser, "list page", "/")
            await self.think()
            if self.site.articles:
                article = self.random.choice(self.site.articles)
                page = await self.get(self.browser, "article page", f"/articles/{article}/")
                seen = SEQ_OF_PAGE.search(page)
                seconds = self.random.uniform(*THINK_SECONDS)
                await self.listen(f"/ws/articles/{article}/page/", seconds, int(seen[1]) if seen else 0)
                await self.get(self.browser, "revisions page", f"/articles/{article}/revisions/")
                await self.think()

    async def poll(self) -> None:
        """A program that waits for articles by asking, and by a socket."""
        await asyncio.sleep(self.random.uniform(0, POLL_SECONDS))
        while not self.site.ended.is_set():
            if not self.site.articles:
                await asyncio.sleep(POLL_SECONDS)
                continue
            article, after = self.random.choice(self.site.articles), 0
            await self.get(self.client, "API list", "/api/articles/?limit=20")
            for _ in range(5):
                await self.get(self.client, "API status", f"/api/articles/{article}/status")
                after = await self.listen(f"/ws/articles/{article}", POLL_SECONDS, after)

    async def write(self) -> float | None:
        """A person who requests an article and follows it on its page. Seconds until it was there; None if it failed."""
        samples, start = self.site.samples, time.monotonic()
        request = brief(self.site.words, self.number)
        async with self.client.post("/api/articles/create", json=request) as response:
            created = await response.json()
        samples.seconds["API create"].append(time.monotonic() - start)
        if response.status != 201:
            samples.errors[f"API create: {response.status}"] += 1
            return None
        self.site.articles.append(created["id"])
        await self.get(self.browser, "article page", f"/articles/{created['id']}/")
        watcher = PageWatcher(self.client, created["id"])
        final = await watcher.follow()
        took = time.monotonic() - start
        if final["status"] != "completed":
            samples.errors[f"article: {final['status']}"] += 1
            return None
        await self.note_events(watcher)
        await self.get(self.browser, "finished article page", f"/articles/{created['id']}/")
        return took

    async def note_events(self, watcher: Watcher) -> None:
        reopened = len({arrival.opened for arrival in watcher.arrivals}) - 1
        if reopened > 0:
            self.site.samples.errors["socket: closed while an article was written"] += reopened
        self.site.samples.seconds["event"] += (await watcher.latencies()).arrivals


async def warm_up(users: Sequence[User]) -> None:
    """Each user once, with a page that is not measured: the first requests of a process load its templates."""
    await asyncio.gather(*(user.get(user.browser, "first page", "/articles/new/") for user in users))
    users[0].site.samples.seconds.pop("first page")


async def visit(site: Site, accounts: Sequence[Account], writers: int, pollers: int) -> list[float | None]:
    """All users at once, until the ``writers`` have their articles; how long each took."""
    users = [User(site, account, number) for number, account in enumerate(accounts)]
    await warm_up(users)
    others = [
        asyncio.create_task(user.poll() if number < pollers else user.read())
        for number, user in enumerate(users[writers:])
    ]
    try:
        written = await asyncio.gather(*(user.write() for user in users[:writers]))
        site.ended.set()
        await asyncio.gather(*others)
    finally:
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for user in users:
            await user.close()
    return written
