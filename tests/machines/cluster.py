"""A studio on several machines: PostgreSQL, Valkey and S3 on one, the web and the sweeper on one, two with workers."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psycopg

from contentstudio.runtime import redis_server
from setup.postgres import SETTINGS, new_cluster
from setup.postgres import Cluster as Postgres
from tests.chaos.api import StudioApi
from tests.environment import ROOT
from tests.machines.network import NETWORK, Machine
from tests.s3_server import S3Server
from tests.static_files import bring_static_files
from tests.waiting import wait_until

PLACES = 3
"""Articles that a machine with workers writes at once."""


class Cluster(StudioApi):
    """``code`` is the folder of the version that is started next."""

    def __init__(self, directory: Path, postgres: Postgres, model_url: str) -> None:
        self.directory, self.postgres, self.code = directory, postgres, ROOT
        names = ("data", "web", "worker-1", "worker-2")
        self.machines = {name: Machine(name, number, directory) for number, name in enumerate(names, 2)}
        self.data, self.web, *self.workers = self.machines.values()
        self.s3 = S3Server(directory / "buckets", f"{self.data.address}:9000")
        self.database = f"postgres://studio@{self.data.address}:5432/studio"
        self.redis = f"redis://{self.data.address}:6379/0"
        self._settings = {
            "DATABASE_URL": self.database,
            "REDIS_URL": self.redis,
            "SECRET_KEY": "a-secret-key-that-all-machines-have-in-common-0123456789",
            "OPENAI_BASE_URL": model_url,
            "OPENAI_API_KEY": "k",
            "SEARCH_PROVIDER": "none",
            "ALLOWED_HOSTS": self.web.address,
            "HOST": self.web.address,
            "WORKERS": str(PLACES),
            "RUNS_PER_USER": "100",
            "MAX_ATTEMPTS": "100",
            "REQUESTS_PER_MINUTE": "0",
            **self.s3.settings,
        }

    @property
    def said(self) -> str:
        return self.web.said("web")

    # Starting

    def start_stores(self) -> None:
        environment = {"PATH": os.environ["PATH"]}
        with (self.postgres.directory / "data" / "pg_hba.conf").open("a") as access:
            access.write(f"\nhost all all {NETWORK}.0/24 trust\n")
        values = {**SETTINGS, "listen_addresses": self.data.address}
        user = self.postgres.run_as
        self.data.start(
            "postgres",
            [
                *("setpriv", f"--reuid={user['user']}", f"--regid={user['group']}", "--clear-groups"),
                *(str(self.postgres.programs / "postgres"), "-D", str(self.postgres.directory / "data")),
                *("-k", str(self.postgres.directory)),
                *(word for name, value in values.items() for word in ("-c", f"{name}={value}")),
            ],
            environment,
            cwd=self.postgres.directory,
        )
        folder = self.data.directory / "redis"
        folder.mkdir(exist_ok=True)
        options = ["--bind", self.data.address, "--protected-mode", "no", "--dir", str(folder), "--appendonly", "yes"]
        self.data.start("redis", [str(redis_server.server_binary()), *options], environment)
        self.data.start("s3", self.s3.command, environment)
        wait_until(self._answers, seconds=30)
        with psycopg.connect(f"postgres://studio@{self.data.address}:5432/postgres", autocommit=True) as server:
            server.execute("CREATE DATABASE studio")

    def _answers(self) -> bool:
        ready = [str(self.postgres.programs / "pg_isready"), "--quiet", "-h", self.data.address, "-U", "studio"]
        database = subprocess.run(ready, check=False).returncode == 0
        return database and redis_server.is_reachable(self.redis) and "Starting s3 server" in self.data.said("s3")

    def start_role(self, role: str, *machines: Machine) -> None:
        """A role of the studio on each machine, of the version in ``code``; returns when they are ready."""
        before = {machine.name: machine.said(role).count("workers ready") for machine in machines}
        for machine in machines:
            bring_static_files(machine.directory / "var")
            self.start_command(machine, role, "studio", ROLE=role)
        for machine in machines:
            wait_until(partial(self._is_ready, machine, role, before[machine.name]), seconds=180)
            if role == "migrate":
                assert machine.processes.pop(role).wait() == 0, machine.said(role)

    def start_command(self, machine: Machine, name: str, *command: str, **settings: str) -> None:
        """A command of ``manage.py``, of the version in ``code``; ``name`` is that of its process."""
        environment = {name: value for name, value in os.environ.items() if name not in self._settings}
        environment |= {**self._settings, "VAR": str(machine.directory / "var"), **settings}
        machine.start(name, [sys.executable, str(self.code / "manage.py"), *command], environment, cwd=self.code)

    def _is_ready(self, machine: Machine, role: str, before: int) -> bool:
        ended = machine.processes[role].poll()
        assert ended is None or role == "migrate", machine.said(role)
        match role:
            case "web":
                return is_listening(machine.address, 8000)
            case "worker":
                return machine.said(role).count("workers ready") > before
            case _:
                return role != "migrate" or ended is not None

    def start(self) -> None:
        self.start_stores()
        self.start_role("migrate", self.web)
        self.start_role("sweeper", self.web)
        self.start_role("worker", *self.workers)
        self.start_role("web", self.web)
        login = (self.web.directory / "var" / "first-login.txt").read_text()
        self.use(f"http://{self.web.address}:8000/api", re.findall(r"API key: (\S+)", login)[0])

    def replace(self, role: str, machine: Machine) -> None:
        """Stop the role and start it with the version in ``code``."""
        machine.stop(role)
        self.start_role(role, machine)

    # What it does

    def holders(self) -> dict[int, str]:
        """The machine that writes each article in progress, by the host name of its worker."""
        with psycopg.connect(self.database) as connection:
            rows = connection.execute("SELECT article_id, worker FROM articles_run WHERE status = 'processing'")
            return {article: worker.partition("/")[0] for article, worker in rows}

    def picture(self, url: str) -> bytes:
        answer = self._api.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        assert answer.headers["Content-Type"] == "image/png"
        return answer.content


@contextmanager
def cluster(directory: Path, model_url: str) -> Iterator[Cluster]:
    """Its machines, none of which runs anything yet. Inside ``lan``."""
    with ExitStack() as stack:
        studio = Cluster(directory, stack.enter_context(new_cluster()), model_url)
        for machine in studio.machines.values():
            stack.callback(machine.remove)
        yield studio


def is_listening(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def unpacked(revision: str, directory: Path) -> Path:
    """The code of a revision of this repository."""
    directory.mkdir()
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "--extract", "--directory", str(directory)], input=archive, check=True)
    return directory
