"""Measures a complete studio: its own database, Redis, web process and workers, used over its API and sockets."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bench.brief import brief
from bench.environment import ROOT, clean_environment
from bench.model_process import ModelServer
from bench.network import free_port
from bench.processes import (
    PeakMemory,
    count_web_processes,
    cpu_of_studio,
    difference,
    job_processes,
    unique_memory,
)
from bench.runs import Article, Run
from bench.simulated_model import MODELS
from bench.watchers import Latencies, Watcher

MODEL_CLIENT = "studio"  # the name under which the simulated model logs the studio's calls
LOG = "studio.log"
POLL_INTERVAL = 0.2
START_TIMEOUT, STOP_TIMEOUT = 120.0, 30.0
ARTICLE_TIMEOUT = 600.0


@dataclass(frozen=True)
class WatchedArticle:
    """An article, when it ended (monotonic clock), and who watched it if it was created at all."""

    article: Article
    ended: float
    watcher: Watcher | None = None


@dataclass(frozen=True)
class StartedStudio:
    """A studio whose workers are ready. ``pid`` is its supervisor's; ``api`` signs its requests with ``key``."""

    pid: int
    address: str
    key: str
    api: aiohttp.ClientSession


class Studio:
    """A running studio; ``pid`` is its supervisor's."""

    def __init__(self, pid: int, address: str, key: str, api: aiohttp.ClientSession, model: ModelServer) -> None:
        self.pid, self.address, self.key, self.api, self.model = pid, address, key, api, model

    def count_web_processes(self) -> int:
        return count_web_processes(self.pid)

    async def measure(self, words: int, at_once: int, watcher: type[Watcher] = Watcher) -> Run:
        """Request ``at_once`` articles at the same moment and follow each over a socket until it ends."""
        cpu_before, peak = cpu_of_studio(self.pid), PeakMemory()
        async with peak.sampled(lambda: sum(map(unique_memory, job_processes(self.pid)))):
            start = time.monotonic()
            watched = await asyncio.gather(*(self.write(words, number + 1, watcher) for number in range(at_once)))
        await self.wait_for_jobs()
        cpu = difference(cpu_before, cpu_of_studio(self.pid))
        latencies = [
            await one.watcher.latencies() for one in watched if one.watcher
        ]  # after the CPU time, which it adds to
        return Run(
            words=words,
            wall=max(one.ended for one in watched) - start,
            calls=await self.model.take_calls(MODEL_CLIENT),
            cpu=cpu,
            memory=peak.value / at_once,
            articles=[one.article for one in watched],
            latencies=Latencies(
                [seconds for each in latencies for seconds in each.arrivals],
                [seconds for each in latencies for seconds in each.complete],
            ),
        )

    async def write(self, words: int, number: int, watcher: type[Watcher]) -> WatchedArticle:
        async with self.api.post("/api/articles/create", json=brief(words, number)) as response:
            created = await response.json()
            if response.status != 201:
                return WatchedArticle(Article("", f"{response.status}: {created}"), time.monotonic())
        socket = watcher(self.api, created["id"])
        try:
            async with asyncio.timeout(ARTICLE_TIMEOUT):
                final = await socket.follow()
        except TimeoutError:
            late = Article("", f"Not finished within {ARTICLE_TIMEOUT:.0f} s.")
            return WatchedArticle(late, time.monotonic(), socket)
        ended = time.monotonic()
        if final["status"] != "completed":
            return WatchedArticle(Article("", f"{final['status']}: {final['message']}"), ended, socket)
        async with self.api.get(f"/api/articles/{created['id']}/result") as response:
            return WatchedArticle(Article((await response.json())["content"]), ended, socket)

    async def wait_for_jobs(self) -> None:
        """Wait until no job process is left: their CPU time is known once their workers have waited for them."""
        while True:
            if not await asyncio.to_thread(job_processes, self.pid):
                return
            await asyncio.sleep(POLL_INTERVAL)


@asynccontextmanager
async def running_studio(model: ModelServer, var: Path, workers: int, **settings: str) -> AsyncIterator[Studio]:
    """Run a studio inside the block that calls the simulated model, with these settings in its environment."""
    settings = {
        "OPENAI_BASE_URL": model.base_url(MODEL_CLIENT),
        "LLM_MODEL": MODELS[0],
        "IMAGE_MODEL": MODELS[1],
        **settings,
    }
    async with started_studio(var, workers, **settings) as started:
        yield Studio(started.pid, started.address, started.key, started.api, model)


@asynccontextmanager
async def started_studio(var: Path, workers: int, **settings: str) -> AsyncIterator[StartedStudio]:
    """Run ``manage.py studio`` inside the block, with its state in ``var`` and these settings in its environment."""
    port = free_port()
    environment = environment_of(var, **settings)
    command = [sys.executable, "manage.py", "studio", "--port", str(port), "--workers", str(workers)]
    with (var / LOG).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdin=DEVNULL, stdout=log, stderr=STDOUT
        )
    try:
        async with asyncio.timeout(START_TIMEOUT):
            key = await first_key(process, var)
        address = f"http://127.0.0.1:{port}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(address, headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as api:
            async with asyncio.timeout(START_TIMEOUT):
                await wait_for_workers(api, workers)
            yield StartedStudio(process.pid, address, key, api)
    except (aiohttp.ClientError, psutil.NoSuchProcess) as error:
        raise RuntimeError(f"The studio ended ({error}). Its last lines:\n{last_lines(var)}") from error
    finally:
        await stop(process)


def environment_of(var: Path, **settings: str) -> dict[str, str]:
    """The environment of all programs of a studio whose state is in ``var``."""
    # More than one user sends in a minute, but counted as in production.
    quotas = {"REQUESTS_PER_MINUTE": "100000000", "MAX_ACTIVE_ARTICLES": "100000", "MAX_SOCKETS_PER_USER": "100000"}
    return clean_environment(
        HOME=str(var),
        VAR=str(var),
        ENV_FILE=os.devnull,
        SEARCH_PROVIDER="none",
        LOG_LEVEL="WARNING",
        DJANGO_SETTINGS_MODULE="contentstudio.settings",
        **quotas | settings,
    )


async def first_key(process: asyncio.subprocess.Process, var: Path) -> str:
    """The API key that the studio writes for the first login."""
    while True:
        if process.returncode is not None:
            raise RuntimeError(f"The studio did not start. Its last lines:\n{last_lines(var)}")
        with suppress(FileNotFoundError):
            for line in (var / "first-login.txt").read_text().splitlines():
                if line.startswith("API key: "):
                    return line.removeprefix("API key: ")
        await asyncio.sleep(POLL_INTERVAL)


def last_lines(var: Path) -> str:
    return "\n".join((var / LOG).read_text(errors="replace").splitlines()[-20:])


async def wait_for_workers(api: aiohttp.ClientSession, articles: int) -> None:
    """Wait until the web process responds and the workers can write ``articles`` at once."""
    while True:
        with suppress(aiohttp.ClientConnectionError):
            async with api.get("/api/health") as response:
                if (await response.json()).get("capacity", 0) >= articles:
                    return
        await asyncio.sleep(POLL_INTERVAL)


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
    except TimeoutError:
        process.kill()
        await process.wait()
