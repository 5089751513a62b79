"""Measures a real studio: its own store, Redis, web and workers, asked over its API and watched over its sockets."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
import psutil

from bench.brief import ROOT, brief
from bench.environment import clean_environment
from bench.model import Model
from bench.network import free_port
from bench.processes import Peak, count_web_processes, cpu_of_studio, jobs_of_studio, own_memory, since
from bench.runs import Article, Run
from bench.simulated_model import MODELS

NAME = "studio"
LOG = "studio.log"
LOOK_EVERY = 0.2
COMES_UP_WITHIN, STOPS_WITHIN = 120.0, 30.0
ENDS_WITHIN = 600.0


@dataclass
class Watched:
    """An article as its watcher saw it end; ``ended`` in seconds of the monotonic clock."""

    article: Article
    ended: float
    latencies: list[float] = field(default_factory=list)


class Studio:
    def __init__(self, pid: int, address: str, key: str, api: aiohttp.ClientSession, model: Model) -> None:
        self.pid, self.address, self.key, self.api, self.model = pid, address, key, api, model

    def count_web_processes(self) -> int:
        return count_web_processes(self.pid)

    async def measure(self, words: int, at_once: int) -> Run:
        """``at_once`` articles, asked for at the same moment and watched to their end."""
        cpu_before, peak = cpu_of_studio(self.pid), Peak()
        async with peak.watching(lambda: sum(map(own_memory, jobs_of_studio(self.pid)))):
            began = time.monotonic()
            watched = await asyncio.gather(*(self.write(words, number) for number in range(1, at_once + 1)))
        await self.quiet()
        return Run(
            words=words,
            wall=max(one.ended for one in watched) - began,
            calls=await self.model.calls(NAME),
            cpu=since(cpu_before, cpu_of_studio(self.pid)),
            memory=peak.value / at_once,
            articles=[one.article for one in watched],
            latencies=[seconds for one in watched for seconds in one.latencies],
        )

    async def write(self, words: int, number: int) -> Watched:
        async with self.api.post("/api/articles/create", json=brief(words, number)) as answer:
            created = await answer.json()
            if answer.status != 201:
                return Watched(Article("", f"{answer.status}: {created}"), time.monotonic())
        try:
            async with asyncio.timeout(ENDS_WITHIN):
                latencies, final, ended = await self.watch(created["id"])
        except TimeoutError:
            return Watched(Article("", f"Not finished within {ENDS_WITHIN:.0f} s."), time.monotonic())
        if final["status"] != "completed":
            return Watched(Article("", f"{final['status']}: {final['message']}"), ended, latencies)
        async with self.api.get(f"/api/articles/{created['id']}/result") as answer:
            return Watched(Article((await answer.json())["content"]), ended, latencies)

    async def watch(self, article_id: int) -> tuple[list[float], dict[str, str], float]:
        """How late each event came, the last message, and when it came. What had happened before we joined is left out.

        Joins again where the socket is closed before the end, as every client has to.
        """
        latencies: list[float] = []
        seq = 0
        while True:
            async with self.api.ws_connect(f"/ws/articles/{article_id}?after={seq}") as messages:
                joined = time.time()
                async for message in messages:
                    arrived, told = time.time(), json.loads(message.data)
                    if told["type"] == "final":
                        return latencies, told, time.monotonic()
                    seq = told.get("seq", seq)
                    happened = datetime.fromisoformat(told["timestamp"]).timestamp()
                    if "seq" in told and happened > joined:
                        latencies.append(arrived - happened)
            print(f"The socket of article {article_id} was closed ({messages.close_code}).", file=sys.stderr)

    async def quiet(self) -> None:
        """Wait until no job is left: what one has cost is known when its worker has waited for it."""
        while True:
            if not await asyncio.to_thread(jobs_of_studio, self.pid):
                return
            await asyncio.sleep(LOOK_EVERY)


@asynccontextmanager
async def running_studio(model: Model, var: Path, workers: int, **settings: str) -> AsyncIterator[Studio]:
    """A studio with its state in ``var``, ``workers`` workers and these settings in its environment; it ends with the block."""
    port = free_port()
    environment = clean_environment(
        HOME=str(var),
        VAR=str(var),
        ENV_FILE=os.devnull,
        OPENAI_BASE_URL=model.base_url(NAME),
        LLM_MODEL=MODELS[0],
        IMAGE_MODEL=MODELS[1],
        SEARCH_PROVIDER="none",
        LOG_LEVEL="WARNING",
        **settings,
    )
    command = [sys.executable, "manage.py", "studio", "--port", str(port), "--workers", str(workers)]
    with (var / LOG).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdin=DEVNULL, stdout=log, stderr=STDOUT
        )
    try:
        async with asyncio.timeout(COMES_UP_WITHIN):
            key = await first_key(process, var)
        address = f"http://127.0.0.1:{port}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(address, headers={"Authorization": f"Bearer {key}"}, timeout=timeout) as api:
            async with asyncio.timeout(COMES_UP_WITHIN):
                await until_workers(api, workers)
            yield Studio(process.pid, address, key, api, model)
    except (aiohttp.ClientError, psutil.NoSuchProcess) as error:
        raise RuntimeError(f"The studio went away ({error}). Its last lines:\n{last_lines(var)}") from error
    finally:
        await stop(process)


async def first_key(process: asyncio.subprocess.Process, var: Path) -> str:
    """The API key of the first login, as soon as it is there."""
    while True:
        if process.returncode is not None:
            raise RuntimeError(f"The studio did not start. Its last lines:\n{last_lines(var)}")
        with suppress(FileNotFoundError):
            for line in (var / "first-login.txt").read_text().splitlines():
                if line.startswith("API key: "):
                    return line.removeprefix("API key: ")
        await asyncio.sleep(LOOK_EVERY)


def last_lines(var: Path) -> str:
    return "\n".join((var / LOG).read_text(errors="replace").splitlines()[-20:])


async def until_workers(api: aiohttp.ClientSession, articles: int) -> None:
    """Wait until the web answers and there are workers for as many ``articles`` at once."""
    while True:
        with suppress(aiohttp.ClientConnectionError):
            async with api.get("/api/health") as answer:
                if (await answer.json())["places"] >= articles:
                    return
        await asyncio.sleep(LOOK_EVERY)


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOPS_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()
