"""``manage.py studio`` with a port and a ``var/`` of its own, whose processes tests can kill."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from tests.environment import ROOT
from tests.model_server import ModelServer
from tests.static_files import bring_static_files
from tests.test_studio_command import command_line, free_port
from tests.waiting import wait_until

PROGRAMS = {"web": "daphne", "pool": " workers", "sweeper": " sweep", "redis": "unixsocket"}
"""Words that identify each program by its command line."""

HOLDERS = "SELECT worker, article_id FROM articles_run WHERE status = 'processing'"


class LiveStudio:
    """It writes ``places`` articles at once. ``store`` is a DATABASE_URL; without one it has its SQLite.

    Runs may lose their worker as often as we like.
    """

    def __init__(self, directory: Path, model: ModelServer, *, places: int, store: str = "", **settings: str) -> None:
        self.var, self.store, self.places = directory / "var", store, places
        self.port, self._log = free_port(), directory / "log"
        self._environment = {
            **os.environ,
            "VAR": str(self.var),
            "PORT": str(self.port),
            "WORKERS": str(places),
            "RUNS_PER_USER": str(places + 1),
            "MAX_ATTEMPTS": "1000",
            "MAX_ACTIVE_ARTICLES": "0",
            "REQUESTS_PER_MINUTE": "0",
            "OPENAI_BASE_URL": model.url,
            "OPENAI_API_KEY": "k",
            "SEARCH_PROVIDER": "none",
            **settings,
        }
        self._environment.pop("DATABASE_URL", None)
        if store:
            self._environment["DATABASE_URL"] = store
        self.process: subprocess.Popen[bytes]
        bring_static_files(self.var)
        self.start()
        key = re.findall(r"API key: (\S+)", (self.var / "first-login.txt").read_text())[0]
        address = f"http://127.0.0.1:{self.port}/api"
        self._api = httpx.Client(
            base_url=address, headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False
        )

    # Its processes

    def start(self) -> None:
        """Start it, and wait until it can write."""
        before = self.said.count("workers ready") if self._log.exists() else 0
        with self._log.open("a") as log:
            command = [sys.executable, str(ROOT / "manage.py"), "studio"]
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        wait_until(lambda: self.said.count("workers ready") > before or self.process.poll() is not None, seconds=200)
        assert self.process.poll() is None, self.said

    def stop(self) -> float:
        """Stop it as Ctrl-C does, if it runs. Returns the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)  # does nothing if it has already ended
        self.process.wait(60)
        return time.monotonic() - began

    @property
    def said(self) -> str:
        return self._log.read_text()

    def family(self) -> list[psutil.Process]:
        """All its processes except the first."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def members(self, kind: str) -> list[psutil.Process]:
        """The processes of a kind: one of PROGRAMS, ``worker``, or ``horse``: the child of a worker that performs a job."""
        if kind in PROGRAMS:
            programs = psutil.Process(self.process.pid).children()
            return [program for program in programs if PROGRAMS[kind] in command_line(program)]
        parents = self.members("pool" if kind == "worker" else "worker")
        return [child for parent in parents for child in children(parent)]

    def holders(self) -> dict[int, int]:
        """The articles in progress, with the pid of the process that writes each."""
        if self.store:
            with psycopg.connect(self.store) as connection:
                rows = connection.execute(HOLDERS).fetchall()
        else:
            with closing(sqlite3.connect(f"file:{self.var / 'studio.sqlite3'}?mode=ro", uri=True)) as database:
                rows = database.execute(HOLDERS).fetchall()
        return {article: int(worker.rpartition(":")[2]) for worker, article in rows}

    # Its API; requests are retried while the web is unavailable

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """The JSON of the answer."""
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = self._api.request(method, path, **request)
            except httpx.TransportError:
                assert time.monotonic() < deadline, f"the web has been away for a minute: {self.said[-2000:]}"
            else:
                if answer.status_code < 500:
                    assert answer.is_success, answer.text
                    return answer.json() if answer.content else None
                assert time.monotonic() < deadline, answer.text
            time.sleep(0.2)

    def order(self, topic: str, **brief: Any) -> int:
        """Order an article with a source of its own; its id."""
        source = {"title": topic, "text": f"{topic}: flat roofs are the largest unused surface of a city. " * 30}
        asked = {"topic": topic, "min_words": 400, "sources": [source], **brief}
        return int(self.ask("POST", "/articles/create", json=asked)["id"])

    def topics(self) -> dict[int, str]:
        """All articles: topic by id."""
        found = self.ask("GET", "/articles/", params={"limit": 100})
        items = list(found["items"])
        while len(items) < found["count"]:
            items += self.ask("GET", "/articles/", params={"limit": 100, "skip": len(items)})["items"]
        return {item["id"]: item["topic"] for item in items}

    def status(self, article: int) -> str:
        return str(self.ask("GET", f"/articles/{article}/status")["status"])

    def events(self, article: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            more = self.ask("GET", f"/articles/{article}/events", params={"after": found[-1]["seq"] if found else 0})
            found += more["items"]
            if not more["items"]:
                return found

    def result(self, article: int) -> dict[str, Any]:
        return dict(self.ask("GET", f"/articles/{article}/result"))


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:  # it ended in the meantime
        return []
