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

import psutil
import psycopg

from tests.chaos.api import StudioApi
from tests.environment import ROOT
from tests.model_server import ModelServer
from tests.static_files import bring_static_files
from tests.test_studio_command import command_line, free_port
from tests.waiting import wait_until

PROGRAMS = {"web": "daphne", "pool": " workers", "sweeper": " sweep", "redis": "unixsocket"}
"""Words that identify each program by its command line."""

HOLDERS = "SELECT worker, article_id FROM articles_run WHERE status = 'processing'"


class LiveStudio(StudioApi):
    """It writes ``places`` articles at once. ``store`` is a DATABASE_URL; without one it has its SQLite.

    Runs may lose their worker as often as we like.
    """

    def __init__(self, directory: Path, model: ModelServer, *, places: int, store: str = "", **settings: str) -> None:
        self.var, self.store, self.places = directory / "var", store, places
        self.port, self._log = free_port(), directory / "log"
        self.environment = {
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
        self.environment.pop("DATABASE_URL", None)
        if store:
            self.environment["DATABASE_URL"] = store
        self.process: subprocess.Popen[bytes]
        bring_static_files(self.var)
        self.start()
        key = re.findall(r"API key: (\S+)", (self.var / "first-login.txt").read_text())[0]
        address = f"http://127.0.0.1:{self.port}/api"
        self.use(address, key)

    # Its processes

    def start(self) -> None:
        """Start it, and wait until it can write."""
        before = self.said.count("workers ready") if self._log.exists() else 0
        with self._log.open("a") as log:
            command = [sys.executable, str(ROOT / "manage.py"), "studio"]
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
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


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:  # it ended in the meantime
        return []
